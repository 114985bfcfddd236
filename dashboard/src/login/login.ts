/** Signing in: with a token, or with the one-time code of a ready link. */

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

const USED: Words = [
  'This link was used already or is older than a day. For another one run ',
  'framefleet link',
  ', with Docker Compose ',
  'docker compose exec gateway framefleet link',
  '. Or paste a token.',
];

export function explain(status: number, credential: Credential, retryAfter: string | null): Words {
  if (status === 429) return [`Too many wrong tokens. Wait ${wait(retryAfter)}, then try again.`];
  if (status === 401 && 'code' in credential) return USED;
  if (status === 401 || status === 403)
    return ['This is no token of this gateway, or it was revoked or has expired. Copy it again, whole.'];
  return [`The gateway could not sign you in (status ${status}). Its log says why.`];
}

/** `Retry-After` in words: `20 seconds`, `2 minutes`. */
function wait(retryAfter: string | null): string {
  const seconds = Number(retryAfter);
  if (retryAfter === null || !(seconds > 0)) return 'a minute';
  if (seconds <= 90)
    return seconds === 60 ? 'a minute' : `${Math.ceil(seconds)} ${seconds === 1 ? 'second' : 'seconds'}`;
  return `${Math.ceil(seconds / 60)} minutes`;
}

/** Tells from the address why the gateway, or this page, led here; `null` where the address does not say. */
export function whyHere(search: string): Words | null {
  const parameters = new URLSearchParams(search);
  if (parameters.get('link') === 'used') return USED;
  if (parameters.get('link') === 'token') {
    return [
      'Links with a token in them no longer sign in, because logs and histories keep them. Paste the token here, or run ',
      'framefleet link',
      ' for a link that does.',
    ];
  }
  if (parameters.has('wrong')) return explain(401, { token: '' }, null);
  if (parameters.get('reason') === 'ended') {
    return [
      `Your session has ended.${parameters.has('next') ? ' After signing in you are back where you were.' : ''}`,
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
