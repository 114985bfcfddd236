/** @typedef {('en'|'vi'|'zh-Hans')} Locale */
/** @type {Locale[]} */
export const locales = ['en','vi','zh-Hans']