//! PNG files of QR codes.
//!
//! One kind of compression: what is like the row above is said in a few bits. That is all a QR code needs, at a
//! hundredth of the code of a general encoder. Sources: PNG (ISO/IEC 15948), RFC 1950, RFC 1951.

/// A square of `edge` pixels that shows a grid of `cells` × `cells`: `off` where `cell(x, y)` is false, `on` where
/// it is true.
#[must_use]
pub fn two_colours(
    edge: u32,
    cells: u32,
    [off, on]: [[u8; 3]; 2],
    cell: impl Fn(u32, u32) -> bool,
) -> Vec<u8> {
    let at = |pixel: u32| pixel * cells / edge;
    let stride = usize::try_from(edge.div_ceil(8) + 1).unwrap_or(1);
    let mut data = Vec::new();
    for y in 0..edge {
        // Rows of one row of cells are the same; drawing is what costs.
        if y > 0 && at(y) == at(y - 1) {
            data.extend_from_within(data.len().saturating_sub(stride)..);
            continue;
        }
        data.push(0); // no filter
        for x in (0..edge).step_by(8) {
            let bit = |n: u32| u8::from(x + n < edge && cell(at(x + n), at(y))) << (7 - n);
            data.push((0..8).map(bit).sum());
        }
    }
    // One bit, palette.
    let header = header(edge, [1, 3]);
    let palette = [off, on].concat();
    file(&[(*b"IHDR", &header), (*b"PLTE", &palette), (*b"IDAT", &zlib(&data, stride)), (*b"IEND", &[])])
}

/// A square of `edge` pixels, at most 10,000, each red, green and blue.
#[must_use]
pub fn full_colour(edge: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
    let stride = usize::try_from(edge * 3 + 1).unwrap_or(1);
    let mut data = Vec::new();
    for y in 0..edge {
        data.push(0); // no filter
        data.extend((0..edge).flat_map(|x| pixel(x, y)));
    }
    // Eight bits, no palette.
    file(&[(*b"IHDR", &header(edge, [8, 2])), (*b"IDAT", &zlib(&data, stride)), (*b"IEND", &[])])
}

fn header(edge: u32, [bits, kind]: [u8; 2]) -> Vec<u8> {
    let mut header = [edge.to_be_bytes(), edge.to_be_bytes()].concat();
    header.extend([bits, kind, 0, 0, 0]);
    header
}

/// A file of these chunks.
pub(crate) fn file(chunks: &[([u8; 4], &[u8])]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in chunks {
        chunk(&mut png, *kind, data);
    }
    png
}

fn chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    png.extend(u32::try_from(data.len()).unwrap_or(0).to_be_bytes());
    let body = [kind.as_slice(), data].concat();
    png.extend(&body);
    png.extend(crc32(&body).to_be_bytes());
}

/// One block of fixed Huffman codes; what repeats from `stride` bytes before is a match.
fn zlib(data: &[u8], stride: usize) -> Vec<u8> {
    let mut bits = Bits { bytes: vec![0x78, 0x01], held: 0, count: 0 };
    bits.put(0b011, 3); // last block, fixed codes
    let mut at = 0;
    while at < data.len() {
        let before = at.checked_sub(stride).and_then(|start| data.get(start..)).unwrap_or_default();
        let here = data.get(at..).unwrap_or_default();
        let length = here.iter().zip(before).take(258).take_while(|(a, b)| a == b).count();
        if length >= 3 {
            bits.length(length);
            bits.distance(stride);
            at += length;
        } else {
            bits.symbol(usize::from(here.first().copied().unwrap_or(0)));
            at += 1;
        }
    }
    bits.symbol(256);
    let mut bytes = bits.finish();
    bytes.extend(adler32(data).to_be_bytes());
    bytes
}

struct Bits {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    /// The low bits of `value`, lowest first.
    fn put(&mut self, value: u32, count: u32) {
        self.held |= value << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.held.to_le_bytes()[0]);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    /// A Huffman code: highest bit first.
    fn code(&mut self, code: u32, count: u32) {
        for bit in (0..count).rev() {
            self.put(code >> bit & 1, 1);
        }
    }

    /// A literal, the end of the block, or a length code (RFC 1951, 3.2.6).
    fn symbol(&mut self, symbol: usize) {
        let symbol = u32::try_from(symbol).unwrap_or(0);
        match symbol {
            0..=143 => self.code(0x30 + symbol, 8),
            144..=255 => self.code(0x190 + symbol - 144, 9),
            256..=279 => self.code(symbol - 256, 7),
            _ => self.code(0xC0 + symbol - 280, 8),
        }
    }

    /// RFC 1951, 3.2.5: 3–258.
    fn length(&mut self, length: usize) {
        if length == 258 {
            return self.symbol(285);
        }
        let over = u32::try_from(length).unwrap_or(3).saturating_sub(3);
        let extra = over.max(4).ilog2().saturating_sub(2);
        let symbol = if over < 8 { 257 + over } else { 257 + 4 * extra + (over >> extra) };
        let extra = if over < 8 { 0 } else { extra };
        self.symbol(usize::try_from(symbol).unwrap_or(257));
        self.put(over & ((1 << extra) - 1), extra);
    }

    /// RFC 1951, 3.2.5: 1–32768.
    fn distance(&mut self, distance: usize) {
        let over = u32::try_from(distance).unwrap_or(1).saturating_sub(1);
        let extra = over.max(2).ilog2().saturating_sub(1);
        let symbol = if over < 4 { over } else { 2 * extra + (over >> extra) };
        let extra = if over < 4 { 0 } else { extra };
        self.code(symbol, 5);
        self.put(over & ((1 << extra) - 1), extra);
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
        self.bytes
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    })
}

fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn sums() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
    }

    /// Read back by another implementation.
    #[test]
    fn every_size_reads_back() {
        for (edge, cells) in [(1, 1), (7, 7), (8, 3), (9, 25), (50, 25), (255, 33), (600, 25), (2000, 217)] {
            let cell = |x: u32, y: u32| (x / 5 * 7 + y / 9 * 13 + x * y).is_multiple_of(3);
            let png = two_colours(edge, cells, [[1, 2, 3], [4, 5, 6]], cell);
            let at = png.windows(4).position(|window| window == b"IDAT").unwrap();
            let length = u32::from_be_bytes(png[at - 4..at].try_into().unwrap()) as usize;
            let mut data = Vec::new();
            flate2::read::ZlibDecoder::new(&png[at + 4..at + 4 + length]).read_to_end(&mut data).unwrap();
            let stride = edge.div_ceil(8) as usize + 1;
            assert_eq!(data.len(), stride * edge as usize, "{edge}");
            for y in 0..edge {
                for x in 0..edge {
                    let byte = data[y as usize * stride + 1 + x as usize / 8];
                    assert_eq!(
                        byte >> (7 - x % 8) & 1 == 1,
                        cell(x * cells / edge, y * cells / edge),
                        "{edge}: {x} {y}"
                    );
                }
            }
            assert!(png.len() < 100_000, "{edge}: {}", png.len());
        }
    }
}
