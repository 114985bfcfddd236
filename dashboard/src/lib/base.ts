/** The gateway's path below its host: '' or, behind a proxy, `/fleet`. The gateway writes it into the page. */
export const BASE =
  typeof document === 'undefined'
    ? ''
    : readBase(document.querySelector<HTMLMetaElement>('meta[name=base]')?.content);

export function readBase(content: string | undefined): string {
  return (content ?? '/').replace(/\/+$/, '');
}

/** A path of this page as if the gateway had its host to itself. */
export function below(pathname: string, base = BASE): string {
  if (!pathname.startsWith(base)) return pathname;
  return pathname.slice(base.length) || '/';
}
