/**
 * The connection to `/ws/results`: opens it, tells what arrives, says what this page wants, and comes back after
 * a loss. It knows nothing of cameras or components.
 */

import { backoff } from './backoff';
import type { Subscribe } from './contract.gen';
import {
  type ClientMessage,
  type Picture,
  type ServerMessage,
  SUBPROTOCOL,
  decodePicture,
  decodeText,
} from './protocol';

/** Close codes of the gateway. */
const NOT_AUTHORISED = 4401;

export interface Connection {
  open: boolean;
  /** Local milliseconds: when the present state began. */
  since: number;
  /** Local milliseconds of the next try, while not open. */
  retryAt: number | null;
}

export interface StreamHandlers {
  message(message: ServerMessage): void;
  picture(picture: Picture): void;
  connection(connection: Connection): void;
  /** The session has ended, or never was. */
  unauthorised(): void;
}

/** Milliseconds of an unanswered handshake, and of silence under suspicion, after which a socket is given up. */
const HANDSHAKE = 8_000;
const SILENCE = 10_000;

export class Stream {
  malformed = 0;
  #socket: WebSocket | null = null;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heard = 0;
  #lostAt: number;
  #open = false;
  #stopped = false;
  #subscription: Subscribe = { type: 'subscribe', cameras: null, pictures: [] };

  constructor(
    private readonly url: string,
    private readonly handlers: StreamHandlers,
  ) {
    this.#lostAt = performance.now();
    this.#connect();
  }

  /** Tells the gateway what this page wants from now on, after a reconnect too. */
  subscribe(cameras: string[] | null, pictures: string[]): void {
    this.#subscription = { type: 'subscribe', cameras, pictures };
    this.send(this.#subscription);
  }

  /** Sends if the connection stands; a message that cannot be sent is not worth keeping. */
  send(message: ClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /**
   * Something else found the gateway unreachable. A socket that has been silent too is taken for dead: browsers
   * notice a pulled cable only after minutes.
   */
  suspect(): void {
    if (this.#open && performance.now() - this.#heard > SILENCE) this.#lost();
  }

  /** Tries now instead of when the back-off ends. */
  retry(): void {
    if (this.#open || this.#stopped) return;
    this.#attempt = 0;
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#drop();
  }

  #connect(): void {
    clearTimeout(this.#timer);
    this.#drop();
    this.handlers.connection({ open: false, since: this.#lostAt, retryAt: null });
    const socket = new WebSocket(this.url, SUBPROTOCOL);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      clearTimeout(this.#timer);
      this.#attempt = 0;
      this.#open = true;
      this.#heard = performance.now();
      this.send(this.#subscription);
      this.handlers.connection({ open: true, since: this.#heard, retryAt: null });
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => this.#receive(event.data);
    socket.onclose = (event) => {
      if (event.code === NOT_AUTHORISED) this.handlers.unauthorised();
      this.#lost();
    };
    this.#timer = setTimeout(() => this.#lost(), HANDSHAKE);
  }

  #receive(data: string | ArrayBuffer): void {
    this.#heard = performance.now();
    if (typeof data === 'string') {
      const message = decodeText(data);
      if (message === null) this.malformed += 1;
      else this.handlers.message(message);
    } else {
      const picture = decodePicture(data);
      if (picture === null) this.malformed += 1;
      else this.handlers.picture(picture);
    }
  }

  #lost(): void {
    this.#drop();
    if (this.#stopped) return;
    if (this.#open) {
      this.#open = false;
      this.#lostAt = performance.now();
    }
    const wait = backoff(this.#attempt);
    this.#attempt += 1;
    this.handlers.connection({ open: false, since: this.#lostAt, retryAt: performance.now() + wait });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), wait);
  }

  /** Lets go of the socket; what it still says is not heard. */
  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
