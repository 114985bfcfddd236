import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Connection, Stream } from '../src/lib/stream';

class Socket {
  static readonly OPEN = 1;
  static all: Socket[] = [];
  binaryType = '';
  readyState = 0;
  sent: string[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {
    Socket.all.push(this);
  }

  open(): void {
    this.readyState = Socket.OPEN;
    this.onopen?.();
  }

  lose(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.closed = true;
    this.readyState = 3;
  }
}

const last = (): Socket => Socket.all.at(-1) as Socket;

function start() {
  const heard = { messages: [] as string[], connections: [] as Connection[], unauthorised: 0 };
  const stream = new Stream('ws://h/ws/results', {
    message: (message) => heard.messages.push(message.type),
    picture: () => heard.messages.push('picture'),
    connection: (connection) => heard.connections.push(connection),
    unauthorised: () => (heard.unauthorised += 1),
  });
  return { stream, heard };
}

beforeEach(() => {
  Socket.all = [];
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', Socket);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the stream', () => {
  it('speaks the sub-protocol and hands on what it understands', () => {
    const { stream, heard } = start();
    last().open();
    for (const data of [
      '{"type":"results","results":[]}',
      'rubbish',
      new ArrayBuffer(2),
      '{"type":"nodes","items":[]}',
    ]) {
      last().onmessage?.({ data });
    }
    expect(last().protocol).toBe('framefleet.v1');
    expect(heard.messages).toEqual(['results', 'nodes']);
    expect(stream.malformed).toBe(2);
  });

  it('comes back after a loss, and says again what it wants', () => {
    const { stream, heard } = start();
    last().open();
    stream.subscribe(['a'], ['a']);
    last().lose();
    const lost = heard.connections.at(-1);
    expect(lost?.open).toBe(false);
    expect((lost?.retryAt ?? 0) - performance.now()).toBeLessThanOrEqual(500);
    vi.advanceTimersByTime(500);
    expect(Socket.all).toHaveLength(2);
    last().open();
    expect(last().sent.map((text): unknown => JSON.parse(text))).toEqual([
      { type: 'subscribe', cameras: ['a'], pictures: ['a'] },
    ]);
    expect(heard.connections.at(-1)?.open).toBe(true);
  });

  it('counts the outage from its beginning, through all tries', () => {
    const { heard } = start();
    last().open();
    vi.advanceTimersByTime(60_000);
    const lostAt = performance.now();
    last().lose();
    for (let time = 0; time < 60_000; time += 250) {
      vi.advanceTimersByTime(250);
      if (!last().closed && last().readyState === 0) last().lose();
    }
    expect(Socket.all.length).toBeGreaterThan(4);
    expect(Socket.all.length).toBeLessThan(20);
    expect(heard.connections.at(-1)?.since).toBe(lostAt);
  });

  it('gives up a handshake that never ends', () => {
    start();
    const first = last();
    vi.advanceTimersByTime(10_000);
    expect(first.closed).toBe(true);
    expect(Socket.all.length).toBeGreaterThan(1);
  });

  it('takes a silent socket for dead only under suspicion', () => {
    const { stream } = start();
    last().open();
    const socket = last();
    vi.advanceTimersByTime(5_000);
    stream.suspect();
    expect(socket.closed).toBe(false);
    vi.advanceTimersByTime(6_000);
    expect(socket.closed).toBe(false);
    stream.suspect();
    expect(socket.closed).toBe(true);
  });

  it('tells that the session has ended', () => {
    const { heard } = start();
    last().open();
    last().lose(4401);
    expect(heard.unauthorised).toBe(1);
  });

  it('stops for good', () => {
    const { stream } = start();
    last().open();
    stream.stop();
    vi.advanceTimersByTime(60_000);
    expect(Socket.all).toHaveLength(1);
  });
});
