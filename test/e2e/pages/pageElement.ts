/**
 * As much of an element as functions that run inside the page read. Spelled out here because the browser's own types
 * would then be visible in code for Node as well.
 */
export interface PageElement {
  readonly textContent: string | null
  getAttribute(name: string): string | null
  querySelector(selector: string): PageElement | null
}
