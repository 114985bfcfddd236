/** The build's own code asks here for the texts of a module. */
export { getRuntime, getRuntime as getRuntimeRx } from './catalogs';
