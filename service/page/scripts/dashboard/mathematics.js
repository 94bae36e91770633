/** Single d3 modules, joined by their own files, which the page names before the scripts that draw. */
export const d3 = globalThis.d3;
