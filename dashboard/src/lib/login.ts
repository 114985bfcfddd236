/** Signing in with the gateway's token. */

/** The token in what was pasted, which may be the whole link. */
export function readToken(pasted: string): string {
  const text = pasted.trim();
  return /[?&]token=([^&#\s]+)/.exec(text)?.[1] ?? text;
}

/** Signs in. Returns what went wrong, in a sentence for people, or `null`. */
export async function signIn(token: string): Promise<string | null> {
  let status: number;
  try {
    const response = await fetch('/api/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token }),
      signal: AbortSignal.timeout(8_000),
    });
    if (response.ok) return null;
    status = response.status;
  } catch {
    return 'The gateway does not answer. Check that it runs, then try again.';
  }
  return explain(status);
}

export function explain(status: number): string {
  if (status === 401 || status === 403) {
    return 'This is not the token of this gateway. Copy it again, whole, from the link that the gateway printed at its latest start.';
  }
  if (status === 429) return 'Too many wrong tokens. Wait a minute, then try again.';
  return `The gateway could not sign you in (status ${status}). Its log says why.`;
}
