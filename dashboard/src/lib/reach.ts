/** Whether an address leads elsewhere than to the machine that it is opened on. Pure. */

const LOOPBACK = /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** True if a phone may open it: not if it names the machine that opens it, nor if it is no address. */
export function leadsElsewhere(link: string): boolean {
  try {
    return !LOOPBACK.test(new URL(link).hostname);
  } catch {
    return false;
  }
}
