/** What an archive is by its first bytes, without the libraries that read it. */

const ZIP_BEGINS = [0x04034b50, 0x06054b50];

export function isZip(bytes: Buffer): boolean {
  return bytes.length >= 4 && ZIP_BEGINS.includes(bytes.readUInt32LE(0));
}

export function isGzip(bytes: Buffer): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

export function isTar(bytes: Buffer): boolean {
  return bytes.length >= 512 && bytes.toString("latin1", 257, 262) === "ustar";
}
