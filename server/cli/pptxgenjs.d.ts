// The part that is used. Its own types are those of a CommonJS module, which it is not when it is imported.
declare module 'pptxgenjs' {
  export default class PptxGenJS {
    title: string
    layout: string
    addSlide(): {
      addImage(image: { data: string; x: number; y: number; w: string; h: string }): void
      addNotes(notes: string): void
    }
    write(options: { outputType: 'nodebuffer' }): Promise<unknown>
  }
}
