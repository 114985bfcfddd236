// @ts-check
/** Folders whose texts a page shows besides its own: they are loaded with it (the build checks that none is missing). */

/** @type {Record<string, readonly string[]>} */
export const ALSO = { cameras: ['events'], job: ['jobs'], nodes: ['viewers'] };
