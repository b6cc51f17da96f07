// A zip file of uncompressed files (videos do not get smaller), up to 4 GB: the oldest form, which every program reads.
// See PKWARE's APPNOTE.TXT, 4.3.

const zip = (() => {
  const TABLE = Uint32Array.from({ length: 256 }, (_, number) => {
    let sum = number;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? 0xedb88320 ^ (sum >>> 1) : sum >>> 1;
    return sum >>> 0;
  });
  const step = (sum, bytes) => {
    for (const byte of bytes) sum = TABLE[(sum ^ byte) & 0xff] ^ (sum >>> 8);
    return sum >>> 0;
  };
  const fields = (...pairs) => {
    const view = new DataView(new ArrayBuffer(pairs.reduce((total, [size]) => total + size, 0)));
    let at = 0;
    pairs.forEach(([size, value]) => {
      if (size === 2) view.setUint16(at, value, true); else view.setUint32(at, value, true);
      at += size;
    });
    return new Uint8Array(view.buffer);
  };
  // UTF-8 names, no compression, 1 January 1980: the same files give the same zip.
  const common = ({ name, sum, size }) => [[2, 20], [2, 0x800], [2, 0], [2, 0], [2, 0x21], [4, sum], [4, size], [4, size], [2, name.length], [2, 0]];

  // `read` gives each file as an array of chunks, or null to leave it out. Only one is in memory at a time, for its
  // checksum.
  const make = async (files, read) => {
    const parts = [];
    const entries = [];
    const taken = new Set();
    let at = 0;
    for (const file of files) {
      const chunks = await read(file);
      if (!chunks) continue;
      let name = file.name;
      for (let copy = 2; taken.has(name); copy += 1) name = file.name.replace(/(\.[^.]*)?$/, `-${copy}$1`);
      taken.add(name);
      const size = chunks.reduce((total, chunk) => total + chunk.length, 0);
      const sum = (chunks.reduce(step, 0xffffffff) ^ 0xffffffff) >>> 0;
      const entry = { name: new TextEncoder().encode(name), sum, size, at };
      entries.push(entry);
      // The browser can move a Blob from memory to disk.
      const blob = new Blob([fields([4, 0x04034b50], ...common(entry)), entry.name, ...chunks]);
      parts.push(blob);
      at += blob.size;
    }
    const list = entries.flatMap((entry) => [
      fields([4, 0x02014b50], [2, 20], ...common(entry), [2, 0], [2, 0], [2, 0], [4, 0], [4, entry.at]), entry.name]);
    const size = list.reduce((total, part) => total + part.length, 0);
    const end = fields([4, 0x06054b50], [2, 0], [2, 0], [2, entries.length], [2, entries.length], [4, size], [4, at], [2, 0]);
    return new Blob([...parts, ...list, end], { type: "application/zip" });
  };
  return { make };
})();
