//! A picture in the middle of a QR code: a PNG of somebody's, read and made small.

use minipng::{Error, decode_png, decode_png_header};
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;
/// The longest edge of a picture that is read, in pixels.
const MAX_EDGE: u32 = 1024;

/// A picture of red, green, blue and how opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

const DAMAGED: &str = "The logo is no PNG that can be read";

/// The most that the pixels of a picture of [`MAX_EDGE`] are before they are compressed: 16 bits for each of four
/// colours, and a byte for each line, with some room for what is interlaced.
const MAX_INFLATED: usize = 9 * (MAX_EDGE as usize) * (MAX_EDGE as usize);

/// Whether the parts of a PNG follow each other and its pixels are one stream that can be inflated: the decoder stops the
/// program at codes that contradict each other.
fn is_whole(file: &[u8]) -> bool {
    let (mut rest, mut pixels, mut is_over) = (file.get(8..).unwrap_or_default(), Vec::new(), false);
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some((kind, after)) = after.split_first_chunk::<4>() else { return false };
        let Some((part, after)) = after.split_at_checked(length) else { return false };
        match kind {
            b"IDAT" if is_over => return false,
            b"IDAT" => pixels.extend_from_slice(part),
            b"IEND" => break,
            _ => is_over = !pixels.is_empty(),
        }
        let Some(after) = after.get(4..) else { return false };
        rest = after;
    }
    decompress_to_vec_zlib_with_limit(&pixels, MAX_INFLATED).is_ok()
}

impl Logo {
    /// Reads a file.
    ///
    /// # Errors
    /// In words for whoever asked for it: no PNG, too large, damaged, interlaced.
    pub fn read(file: &[u8]) -> Result<Self, &'static str> {
        if file.len() > MAX_BYTES {
            return Err("A logo has at most 256 kB");
        }
        if !file.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Err("A logo in a PNG is a PNG itself; others are drawn with format=svg");
        }
        let header = decode_png_header(file).map_err(explain)?;
        let (width, height) = (header.width(), header.height());
        if width > MAX_EDGE || height > MAX_EDGE {
            return Err("A logo has at most 1024 by 1024 pixels");
        }
        if !is_whole(file) {
            return Err(DAMAGED);
        }
        let mut buffer = vec![0; header.required_bytes_rgba8bpc()];
        let mut image = decode_png(file, &mut buffer).map_err(explain)?;
        image.convert_to_rgba8bpc().map_err(explain)?;
        Ok(Self { width, height, pixels: image.pixels().to_vec() })
    }

    /// What is seen at a pixel of a square of `edge` pixels into which the picture fits, before a background.
    ///
    /// The mean of the pixels that fall there, each as much as it is opaque.
    #[must_use]
    pub fn over(&self, edge: u32, (x, y): (u32, u32), background: [u8; 3]) -> [u8; 3] {
        let longest = u64::from(self.width.max(self.height)).max(1);
        let span = |at: u32, size: u32| -> Option<(u64, u64)> {
            // The shorter edge is centred: offsets are in half pixels of the picture.
            let margin = (longest - u64::from(size)) / 2;
            let from = (u64::from(at) * longest / u64::from(edge.max(1))).checked_sub(margin)?;
            let to = ((u64::from(at) + 1) * longest).div_ceil(u64::from(edge.max(1))).saturating_sub(margin);
            let to = to.min(u64::from(size));
            (from < to).then_some((from, to))
        };
        let (Some((left, right)), Some((top, bottom))) = (span(x, self.width), span(y, self.height)) else {
            return background;
        };
        let mut sums = [0_u64; 3];
        let mut count = 0_u64;
        for row in top..bottom {
            for column in left..right {
                let at = usize::try_from((row * u64::from(self.width) + column) * 4).unwrap_or(usize::MAX);
                let Some([red, green, blue, opaque]) =
                    self.pixels.get(at..).and_then(|rest| rest.first_chunk())
                else {
                    continue;
                };
                count += 1;
                for (sum, (own, behind)) in
                    sums.iter_mut().zip([red, green, blue].into_iter().zip(background))
                {
                    let opaque = u64::from(*opaque);
                    *sum += (u64::from(*own) * opaque + u64::from(behind) * (255 - opaque)) / 255;
                }
            }
        }
        sums.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "map_err gives it")]
fn explain(error: Error) -> &'static str {
    match error {
        Error::UnsupportedInterlace => "An interlaced PNG cannot be drawn",
        _ => DAMAGED,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::core::png;

    /// A PNG by hand: 8 bits a channel, colour type 6 (RGBA).
    fn rgba(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Vec<u8> {
        let mut data = Vec::new();
        for y in 0..height {
            data.push(0);
            data.extend((0..width).flat_map(|x| pixel(x, y)));
        }
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&data).unwrap();
        let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
        header.extend([8, 6, 0, 0, 0]);
        png::file(&[(*b"IHDR", &header), (*b"IDAT", &encoder.finish().unwrap()), (*b"IEND", &[])])
    }

    #[test]
    fn a_picture_is_read_and_made_small() {
        // Left half red, right half see-through.
        let file = rgba(40, 20, |x, _| if x < 20 { [255, 0, 0, 255] } else { [0, 0, 255, 0] });
        let logo = Logo::read(&file).unwrap();
        let white = [255; 3];
        for (at, expected) in [
            ((0, 5), [255, 0, 0]),
            ((4, 5), [255, 0, 0]),
            ((5, 5), white),
            ((9, 5), white),
            // Twice as wide as high: nothing above and below.
            ((0, 0), white),
            ((0, 9), white),
        ] {
            assert_eq!(logo.over(10, at, white), expected, "{at:?}");
        }
        let half = Logo::read(&rgba(1, 1, |_, _| [0, 0, 0, 128])).unwrap();
        assert_eq!(half.over(7, (3, 3), white), [127; 3]);
        // Enlarged as well.
        let dots = Logo::read(&rgba(2, 2, |x, y| if x == y { [9, 9, 9, 255] } else { [200, 200, 200, 255] }))
            .unwrap();
        assert_eq!((dots.over(100, (0, 0), white), dots.over(100, (99, 0), white)), ([9; 3], [200; 3]));
    }

    #[test]
    fn what_is_no_picture_is_refused_in_words() {
        let good = rgba(4, 4, |_, _| [1, 2, 3, 255]);
        assert!(Logo::read(&good).is_ok());
        let huge = rgba(1025, 1, |_, _| [0; 4]);
        for (file, word) in [
            (Vec::new(), "PNG itself"),
            (b"GIF89a".to_vec(), "PNG itself"),
            (b"\xff\xd8\xff\xe0".to_vec(), "PNG itself"),
            (vec![0; MAX_BYTES + 1], "256 kB"),
            (huge, "1024 by 1024"),
            (good[..30].to_vec(), "can be read"),
            (good[..good.len() - 20].to_vec(), "can be read"),
            (b"\x89PNG\r\n\x1a\n".to_vec(), "can be read"),
        ] {
            let refused = Logo::read(&file).unwrap_err();
            assert!(refused.contains(word), "{refused}");
        }
    }

    proptest::proptest! {
        /// Whatever is sent: words, never a panic.
        #[test]
        fn any_bytes_are_read_or_refused(tail in proptest::collection::vec(proptest::num::u8::ANY, 0..400), cut in 0_usize..90) {
            let good = rgba(4, 4, |_, _| [1, 2, 3, 255]);
            let _ = Logo::read(&[&good[..cut.min(good.len())], tail.as_slice()].concat());
        }
    }
}
