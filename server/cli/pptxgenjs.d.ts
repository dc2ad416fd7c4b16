// The used part of pptxgenjs. Its own types describe its CommonJS module, which differs from the imported ES module.
declare module 'pptxgenjs' {
  export default class PptxGenJS {
    title: string
    layout: string
    addSlide: () => {
      addImage: (image: { data: string; x: number; y: number; w: string; h: string }) => void
      addNotes: (notes: string) => void
    }
    write: (options: { outputType: 'nodebuffer' }) => Promise<unknown>
  }
}
