import { onBeforeUnmount, onMounted, type Ref } from 'vue'

/** Heights in CSS pixels of the slide. A smaller terminal shows nothing legible, so it rather overflows. */
const MIN_HEIGHT_PX = 60
/** An element without a definite height is about this high: its padding and its border. */
const COLLAPSED_PX = 20

/**
 * Limits the height of an element to the space that its slide has left. An element with `height: 100%` would otherwise
 * extend below the slide by the height of the text above it.
 *
 * @param box the element; its height in CSS is 100%
 */
export function useRemainingHeight(box: Ref<HTMLElement | undefined>): void {
  let observer: ResizeObserver | undefined

  function limit(): void {
    const element = box.value
    const page = element?.closest<HTMLElement>('.slidev-page')
    // A hidden slide has no size.
    if (!element || !page || page.clientHeight === 0) return
    element.style.maxHeight = element.style.height = ''
    const remaining = remainingHeight(element, page)
    if (element.offsetHeight <= COLLAPSED_PX) element.style.height = `${remaining}px`
    else if (element.offsetHeight > remaining + 1) element.style.maxHeight = `${remaining}px`
  }

  onMounted(() => {
    const page = box.value?.closest('.slidev-page')
    if (!box.value || !page) return
    observer = new ResizeObserver(limit)
    observer.observe(page)
    // The text beside the terminal changes its height while fonts are loaded and steps show messages.
    for (let element: Element | null = box.value; element && element !== page; element = element.parentElement)
      for (const sibling of element.parentElement?.children ?? []) if (sibling !== element) observer.observe(sibling)
  })
  onBeforeUnmount(() => observer?.disconnect())
}

/**
 * The height in CSS pixels from the top of an element to the end of its slide, without the padding of the layout and the
 * content below the element. The layout itself may be lower than the slide: without a theme it is as high as its content.
 */
function remainingHeight(element: HTMLElement, page: HTMLElement): number {
  const { top, bottom } = element.getBoundingClientRect()
  const frame = page.getBoundingClientRect()
  const scale = frame.height / page.offsetHeight
  const layout = element.closest('.slidev-layout')
  const padding = layout ? parseFloat(getComputedStyle(layout).paddingBottom) : 0
  const below = contentBelow(element, layout ?? page, bottom)
  return Math.max(MIN_HEIGHT_PX, Math.floor((frame.bottom - top - below) / scale - padding))
}

/** Height on the screen of what follows an element in the flow of its layout. */
function contentBelow(element: HTMLElement, layout: Element, bottom: number): number {
  let lowest = bottom
  for (let current: Element = element; current !== layout && current.parentElement; current = current.parentElement)
    for (let next = current.nextElementSibling; next; next = next.nextElementSibling) {
      const { position } = getComputedStyle(next)
      const box = next.getBoundingClientRect()
      // What is beside the element, as in another column, takes no space from it.
      if (position !== 'absolute' && position !== 'fixed' && box.top >= bottom - 1)
        lowest = Math.max(lowest, box.bottom)
    }
  return lowest - bottom
}
