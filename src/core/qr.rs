//! QR codes of short links: what is asked for, and the picture as SVG or PNG.

use std::fmt::Write;

use qrcode::bits::Bits;
use qrcode::{Color, EcLevel, QrCode, Version};

use crate::core::destination;
use crate::core::logo::Logo;
use crate::core::metatags;
use crate::core::png;
use crate::core::problem::Problem;
use crate::core::validate::Query;

/// Largest edge: what a poster needs, and little enough to draw on request.
const MAX_PIXELS: i64 = 2000;
const MIN_PIXELS: i64 = 50;
const MAX_MARGIN: i64 = 20;

/// A QR code to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    url: String,
    /// Edge of the picture in pixels.
    pixels: u32,
    level: &'static str,
    foreground: [u8; 3],
    background: [u8; 3],
    /// Quiet modules around.
    margin: u32,
    /// The address of a picture in the middle. In SVG the reader of the picture fetches it and we do not.
    logo: Option<String>,
    /// SVG instead of PNG.
    pub is_svg: bool,
}

impl Request {
    /// Reads the query. Source: wire contract 6.5.
    ///
    /// # Errors
    /// 422.
    pub fn parse(query: &Query) -> Result<Self, Problem> {
        let Some(url) = query.text_up_to("url", destination::MAX_BYTES)? else {
            return Err(Problem::invalid("invalid_type", "url", "url is required"));
        };
        let url =
            destination::normalise(url).map_err(|e| Problem::invalid("custom", "url", &e.to_string()))?;
        let color = |name: &str, default: [u8; 3]| match query.text(name) {
            None => Ok(default),
            Some(text) => {
                hex(text).ok_or_else(|| Problem::invalid("custom", name, "A colour is written #1a2b3c"))
            }
        };
        let is_svg = query.choice("format", &["png", "svg"])? == Some("svg");
        let logo = match query.text_up_to("logo", destination::MAX_BYTES)? {
            Some(logo) if !query.boolean("hideLogo", false)? => Some(picture(logo, is_svg)?),
            _ => None,
        };
        // What a logo hides must be read from the rest.
        let level = if logo.is_some() { "H" } else { "L" };
        query.boolean("includeMargin", true)?;
        let small =
            |number: Option<i64>, default: u32| number.and_then(|n| u32::try_from(n).ok()).unwrap_or(default);
        Ok(Self {
            url,
            pixels: small(query.integer("size", MIN_PIXELS, MAX_PIXELS)?, 600),
            level: query.choice("level", &["L", "M", "Q", "H"])?.unwrap_or(level),
            foreground: color("fgColor", [0, 0, 0])?,
            background: color("bgColor", [255, 255, 255])?,
            margin: small(query.integer("margin", 0, MAX_MARGIN)?, 2),
            logo,
            is_svg,
        })
    }

    /// The address of the picture that [`Request::draw`] needs.
    #[must_use]
    pub fn needed_logo(&self) -> Option<&str> {
        self.logo.as_deref().filter(|_| !self.is_svg)
    }

    /// The picture. `logo`: what [`Request::needed_logo`] names.
    ///
    /// # Errors
    /// 422 when the URL is longer than a QR code holds.
    pub fn draw(&self, logo: Option<&Logo>) -> Result<Vec<u8>, Problem> {
        let level = match self.level {
            "M" => EcLevel::M,
            "Q" => EcLevel::Q,
            "H" => EcLevel::H,
            _ => EcLevel::L,
        };
        let code = encode(self.url.as_bytes(), level)
            .ok_or_else(|| Problem::invalid("too_big", "url", "The URL is too long for a QR code"))?;
        let width = u32::try_from(code.width()).unwrap_or(0);
        let modules = code.to_colors();
        let dark = |x: u32, y: u32| {
            let (Some(x), Some(y)) = (x.checked_sub(self.margin), y.checked_sub(self.margin)) else {
                return false;
            };
            let inside = x < width && y < width;
            let index = usize::try_from(y * width + x).unwrap_or(usize::MAX);
            inside && modules.get(index) == Some(&Color::Dark)
        };
        let total = width + 2 * self.margin;
        let colours = [self.background, self.foreground];
        Ok(match logo {
            _ if self.is_svg => self.svg(total, dark).into_bytes(),
            None => png::two_colours(self.pixels, total, colours, dark),
            Some(logo) => self.with_logo(total, dark, logo),
        })
    }

    /// As large and where [`Request::svg`] puts it.
    fn with_logo(&self, total: u32, dark: impl Fn(u32, u32) -> bool, logo: &Logo) -> Vec<u8> {
        let (edge, at) = (self.pixels / 4, self.pixels * 3 / 8);
        png::full_colour(self.pixels, |x, y| match (x.checked_sub(at), y.checked_sub(at)) {
            (Some(x), Some(y)) if x < edge && y < edge => logo.over(edge, (x, y), self.background),
            _ if dark(x * total / self.pixels, y * total / self.pixels) => self.foreground,
            _ => self.background,
        })
    }

    fn svg(&self, total: u32, dark: impl Fn(u32, u32) -> bool) -> String {
        let color = |[r, g, b]: [u8; 3]| format!("#{r:02x}{g:02x}{b:02x}");
        let mut path = String::new();
        for y in 0..total {
            let mut x = 0;
            while x < total {
                let run = (x..total).take_while(|x| dark(*x, y)).count();
                let run = u32::try_from(run).unwrap_or(0);
                if run > 0 {
                    let _ = write!(path, "M{x} {y}h{run}v1H{x}z");
                }
                x += run.max(1);
            }
        }
        let logo = self.logo.as_ref().map(|logo| {
            let (edge, at) = (f64::from(total) / 4.0, f64::from(total) * 3.0 / 8.0);
            let address = logo.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
            let place = format!("x=\"{at}\" y=\"{at}\" width=\"{edge}\" height=\"{edge}\"");
            format!("<rect fill=\"{}\" {place}/><image href=\"{address}\" {place}/>", color(self.background))
        });
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{pixels}\" height=\"{pixels}\" \
             viewBox=\"0 0 {total} {total}\" shape-rendering=\"crispEdges\"><path fill=\"{background}\" \
             d=\"M0 0h{total}v{total}H0z\"/><path fill=\"{foreground}\" d=\"{path}\"/>{logo}</svg>",
            pixels = self.pixels,
            background = color(self.background),
            foreground = color(self.foreground),
            logo = logo.unwrap_or_default(),
        )
    }
}

/// The smallest code that holds the bytes. Links have lower-case letters, for which there is no denser way than bytes.
fn encode(bytes: &[u8], level: EcLevel) -> Option<QrCode> {
    (1..=40).find_map(|version| {
        let mut bits = Bits::new(Version::Normal(version));
        bits.push_byte_data(bytes).ok()?;
        bits.push_terminator(level).ok()?;
        QrCode::with_bits(bits, level).ok()
    })
}

/// The address of a logo. In SVG it is the reader's to fetch; what we fetch ourselves is checked at every step of the way.
fn picture(text: &str, is_svg: bool) -> Result<String, Problem> {
    let refused = |why: &str| Problem::invalid("custom", "logo", why);
    let logo = destination::normalise(text).map_err(|e| refused(&e.to_string()))?;
    if !is_svg {
        return Ok(logo);
    }
    let public = metatags::public(&logo).filter(|url| url.scheme() == "https");
    public.map(|_| logo).ok_or_else(|| refused("A logo has a public https address"))
}

/// `#1a2b3c`, `1a2b3c`, `#abc`.
fn hex(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let digits: String = match digits.len() {
        3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        6 => digits.to_owned(),
        _ => return None,
    };
    let number = u32::from_str_radix(&digits, 16).ok()?.to_be_bytes();
    Some([number[1], number[2], number[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<Request, String> {
        Request::parse(&Query::parse(query)).map_err(|problem| problem.message)
    }

    #[test]
    fn what_is_refused() {
        for (query, message) in [
            ("", "invalid_type: url: url is required"),
            ("url=javascript:1", "custom: url: Invalid URL"),
            ("url=https://a.co&size=2001", "too_big: size: "),
            ("url=https://a.co&size=1e9", "too_big: size: "),
            ("url=https://a.co&size=0", "too_small: size: "),
            ("url=https://a.co&level=X", "invalid_enum_value: level: "),
            ("url=https://a.co&fgColor=red", "custom: fgColor: "),
            ("url=https://a.co&margin=-1", "too_small: margin: "),
            ("url=https://a.co&format=gif", "invalid_enum_value: format: "),
            ("url=https://a.co&logo=data:image/png,x", "custom: logo: Invalid URL"),
            ("url=https://a.co&format=svg&logo=http://a.co/l.png", "custom: logo: A logo has a public"),
            ("url=https://a.co&format=svg&logo=https://127.0.0.1/l.png", "custom: logo: A logo has a public"),
            ("url=https://a.co&format=svg&logo=data:image/png,x", "custom: logo: Invalid URL"),
            ("url=https://a.co&hideLogo=maybe&logo=https://a.co/l", "invalid_enum_value: hideLogo: "),
        ] {
            assert!(parse(query).unwrap_err().starts_with(message), "{query}: {:?}", parse(query));
        }
        let long = format!("url=https://a.co/{}", "a".repeat(3500));
        assert!(parse(&long).unwrap().draw(None).unwrap_err().message.starts_with("too_big: url: "));
    }

    #[test]
    fn an_svg_shows_what_was_asked_for() {
        let query =
            "url=https://a.co&format=svg&size=100&fgColor=%23f00&margin=0&level=L&logo=https://a.co/l%22.png";
        let request = parse(query);
        let svg = String::from_utf8(request.unwrap().draw(None).unwrap()).unwrap();
        assert!(svg.contains("width=\"100\"") && svg.contains("#ff0000"), "{svg}");
        assert!(svg.contains("viewBox=\"0 0 21 21\"") && svg.contains("d=\"M0 0h7v1H0z"), "{svg}");
        assert!(!svg.contains("l\".png"), "{svg}");
    }

    /// Read as a camera's program does.
    #[test]
    fn a_code_is_read_back_with_a_logo_on_it() {
        let square = png::full_colour(50, |_, _| [255, 0, 0]);
        let logo = Logo::read(&square).unwrap();
        for (size, margin, url) in [
            (200, 2, "https://go.acme.com/launch"),
            (600, 4, "https://go.acme.com/a?qr=1"),
            (333, 1, "https://a.co/"),
            (
                1000,
                2,
                "https://go.acme.com/a-much-longer-path/with/segments?utm_source=poster&utm_medium=print",
            ),
        ] {
            let address: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
            let query = format!("url={address}&size={size}&margin={margin}&logo=https://acme.com/l.png");
            let request = parse(&query).unwrap();
            assert_eq!(request.needed_logo(), Some("https://acme.com/l.png"));
            let picture = request.draw(Some(&logo)).unwrap();
            let header = minipng::decode_png_header(&picture).unwrap();
            let mut buffer = vec![0; header.required_bytes()];
            let image = minipng::decode_png(&picture, &mut buffer).unwrap();
            let edge = usize::try_from(header.width()).unwrap();
            let pixel = |x: usize, y: usize| -> [u8; 3] {
                image.pixels()[(y * edge + x) * 3..][..3].try_into().unwrap()
            };
            assert_eq!(pixel(edge / 2, edge / 2), [255, 0, 0], "the logo is in the middle");
            assert_eq!(pixel(0, 0), [255; 3]);
            let grey = |x: usize, y: usize| pixel(x, y)[1];
            let mut seen = rqrr::PreparedImage::prepare_from_greyscale(edge, edge, grey);
            let (_, found) = seen.detect_grids()[0].decode().unwrap();
            assert_eq!(found, url, "{size}");
        }
    }

    #[test]
    fn the_smallest_code_is_taken() {
        for (length, level, width) in [
            (17, EcLevel::L, 21),
            (18, EcLevel::L, 25),
            (7, EcLevel::H, 21),
            (8, EcLevel::H, 25),
            (2953, EcLevel::L, 177),
        ] {
            let text = "a".repeat(length);
            assert_eq!(encode(text.as_bytes(), level).map(|code| code.width()), Some(width), "{length}");
        }
        assert!(encode("a".repeat(2954).as_bytes(), EcLevel::L).is_none());
    }

    #[test]
    fn colours() {
        for (text, expected) in [
            ("#1a2b3c", Some([0x1a, 0x2b, 0x3c])),
            ("abc", Some([0xaa, 0xbb, 0xcc])),
            ("#12", None),
            ("#12345g", None),
            ("", None),
        ] {
            assert_eq!(hex(text), expected, "{text}");
        }
    }
}
