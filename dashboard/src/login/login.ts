/** Signing in: with a token, or with the one-time code of a ready link. */

import { plural } from '../lib/plural';
import { BASE, below } from '../lib/base';

export type Credential = { token: string } | { code: string };

/** Reads what was pasted: a token, or a whole link with a code (or, from earlier versions, a token) in it. */
export function readCredential(pasted: string): Credential {
  const text = pasted.trim();
  const code = /[?&]code=([^&#\s]+)/.exec(text)?.[1];
  if (code !== undefined) return { code };
  return { token: /[?&]token=([^&#\s]+)/.exec(text)?.[1] ?? text };
}

/** A sentence, a command, and what follows it. */
export type Words = readonly string[];

/** Signs in. Returns what went wrong, in sentences for people, or `null`; every second part is a command. */
export async function signIn(credential: Credential): Promise<Words | null> {
  let response: Response;
  try {
    response = await fetch(`${BASE}/api/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(credential),
      signal: AbortSignal.timeout(8_000),
    });
  } catch {
    return ['The gateway does not answer. Check that it runs, then try again.'];
  }
  return response.ok ? null : explain(response.status, credential, response.headers.get('Retry-After'));
}

/** A sentence with commands between backticks, in parts. */
const parts = (sentence: string): Words => sentence.split('`');

const USED: Words = parts(
  'This link was already used, or is older than a day. Run `framefleet link` for another one (with Docker Compose `docker compose exec gateway framefleet link`), or paste a token.',
);

export function explain(status: number, credential: Credential, retryAfter: string | null): Words {
  if (status === 429) return [wait(retryAfter)];
  if (status === 401 && 'code' in credential) return USED;
  if (status === 401 || status === 403)
    return ['The gateway does not accept this token: it is wrong, revoked or expired. Copy all of it again.'];
  return [`The gateway could not sign you in (status ${status}). Its log says why.`];
}

/** What `Retry-After` asks for, in words. */
function wait(retryAfter: string | null): string {
  const seconds = retryAfter === null || !(Number(retryAfter) > 0) ? 60 : Number(retryAfter);
  return seconds <= 90 && seconds !== 60
    ? plural(Math.ceil(seconds), [
        'Too many wrong tokens. Wait # second, then try again.',
        'Too many wrong tokens. Wait # seconds, then try again.',
      ])
    : plural(Math.ceil(seconds / 60), [
        'Too many wrong tokens. Wait # minute, then try again.',
        'Too many wrong tokens. Wait # minutes, then try again.',
      ]);
}

/** Tells from the address why the gateway, or this page, led here; `null` where the address does not say. */
export function whyHere(search: string): Words | null {
  const parameters = new URLSearchParams(search);
  if (parameters.get('link') === 'used') return USED;
  if (parameters.get('link') === 'token') {
    return parts(
      'Links with a token in them no longer sign in, because logs and histories keep them. Paste the token here, or run `framefleet link` for a link that does.',
    );
  }
  if (parameters.has('wrong')) return explain(401, { token: '' }, null);
  if (parameters.get('reason') === 'ended') {
    return [
      parameters.has('next')
        ? 'Your session has ended. Sign in to return to the page where you were.'
        : 'Your session has ended.',
    ];
  }
  return null;
}

/** The sign-in page, which says that the session has ended and leads back to where this page is. */
export function signInPath(location: { pathname: string; search: string }): string {
  const here = below(location.pathname) + location.search;
  return here === '/'
    ? `${BASE}/login?reason=ended`
    : `${BASE}/login?reason=ended&next=${encodeURIComponent(here)}`;
}

/** The path to go to after signing in; it is one of this site, whatever the link says. */
export function nextPath(search: string): string {
  const next = new URLSearchParams(search).get('next') ?? '/';
  return BASE + (/^\/(?![/\\])/.test(next) ? next : '/');
}
