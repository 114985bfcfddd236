/** Menus and popovers, loaded after the first page: a fifth of all code would come before it for what is behind a click. */

export { DropdownMenu, Popover } from 'bits-ui';
