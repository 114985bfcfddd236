/** Sends files by tus (https://tus.io), so that a cut connection costs only what was on its way. */

import type { DetailedError, UploadOptions } from 'tus-js-client';
import { BASE } from '../lib/base';
import { readProblemView } from '../lib/contract.gen';

export interface Sending {
  /** Stops; `remove` has the gateway throw away what has come. */
  stop(remove: boolean): void;
}

export interface Hears {
  progress(sent: number): void;
  done(): void;
  /** `final`: the gateway does not take this file, however often it is sent. */
  failed(reason: string, final: boolean): void;
}

export interface Parcel {
  job: string;
  file: File;
  path: string;
  /** The upload that has begun, if one has: it goes on where it was. */
  upload: string | null;
}

export type Transport = (parcel: Parcel, hears: Hears) => Sending;

/** Milliseconds before each further try of a cut connection: a minute together. */
const AGAIN = [500, 1_000, 3_000, 5_000, 10_000, 20_000, 20_000];
/** Answers that another try may change: somebody else writes, the gateway starts. */
const worth = (status: number, method: string): boolean =>
  status === 0 ||
  // Of a write another offset holds by now; of a new upload: the job takes no more.
  (status === 409 && method !== 'POST') ||
  status === 423 ||
  status === 429 ||
  (status >= 500 && status !== 507);
/** Answers to a file that no other try changes. */
const FINAL = [400, 413, 415];

/** The gateway's sentence, or what else is known of the failure. */
export function reasonOf(status: number, body: string): string {
  let said: unknown = null;
  try {
    said = JSON.parse(body);
  } catch {
    // Some proxy's page.
  }
  return (
    readProblemView(said)?.error ??
    (status === 0 ? 'the gateway does not answer' : `the gateway answered ${status}`)
  );
}

export const tus: Transport = ({ job, file, path, upload }, hears) => {
  let stopped = false;
  let stop: (remove: boolean) => void = () => undefined;
  const uploads = `${BASE}/api/jobs/${encodeURIComponent(job)}/uploads`;
  void import('tus-js-client').then(
    ({ Upload }) => {
      if (stopped) return;
      const options: UploadOptions = {
        endpoint: uploads,
        uploadUrl: upload === null ? null : `${uploads}/${encodeURIComponent(upload)}`,
        metadata: { filename: path },
        retryDelays: AGAIN,
        // The gateway lists what has begun; this browser's own memory is in resume.ts.
        storeFingerprintForResuming: false,
        onShouldRetry: (error) => worth(statusOf(error), error.originalRequest.getMethod()),
        onUploadUrlAvailable: () => {
          // A proxy in front of the gateway may have put it below a path that the gateway does not know.
          const begun = sending.url?.split('/').at(-1);
          if (begun !== undefined) sending.url = `${uploads}/${begun}`;
        },
        onProgress: (sent) => hears.progress(sent),
        onSuccess: () => hears.done(),
        onError: (error) => {
          if (stopped) return;
          const status = 'originalResponse' in error ? statusOf(error) : 0;
          const body = 'originalResponse' in error ? (error.originalResponse?.getBody() ?? '') : '';
          hears.failed(reasonOf(status, body), FINAL.includes(status));
        },
      };
      const sending = new Upload(file, options);
      // What is thrown away twice, or was never there, is gone as well.
      stop = (remove) => void sending.abort(remove && sending.url !== null).catch(() => undefined);
      sending.start();
    },
    () => hears.failed('this page is not up to date: reload it', false),
  );
  return {
    stop(remove) {
      stopped = true;
      stop(remove);
    },
  };
};

const statusOf = (error: DetailedError): number => error.originalResponse?.getStatus() ?? 0;
