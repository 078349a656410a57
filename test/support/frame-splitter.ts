/** Cuts what one end of a WebSocket sends into the head of the handshake and whole frames, whatever pieces it arrives in. */
export class FrameSplitter {
  #rest: Buffer = Buffer.alloc(0);
  #shaken = false;

  /** What is whole now, in order; the handshake counts as one piece. */
  push(chunk: Buffer): { readonly bytes: Buffer; readonly isMessage: boolean }[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const whole: { bytes: Buffer; isMessage: boolean }[] = [];
    for (let size = this.#next(); size !== null; size = this.#next()) {
      const bytes = this.#rest.subarray(0, size);
      // A message in one frame: nothing of it can be mixed up with another one.
      whole.push({ bytes, isMessage: this.#shaken && ((bytes[0] ?? 0) === 0x81 || (bytes[0] ?? 0) === 0x82) });
      this.#shaken = true;
      this.#rest = this.#rest.subarray(size);
    }
    return whole;
  }

  /** The size of the next whole piece, or null while it is not there. */
  #next(): number | null {
    if (!this.#shaken) {
      const end = this.#rest.indexOf("\r\n\r\n");
      return end === -1 ? null : end + 4;
    }
    if (this.#rest.length < 2) return null;
    const second = this.#rest.readUInt8(1);
    const masked = second >= 128;
    const short = second % 128;
    const header = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
    if (this.#rest.length < header) return null;
    const length = short === 126 ? this.#rest.readUInt16BE(2) : short === 127 ? Number(this.#rest.readBigUInt64BE(2)) : short;
    const size = header + (masked ? 4 : 0) + length;
    return this.#rest.length < size ? null : size;
  }
}
