//! `/qr` and `/metatags`: tools that anybody may use.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use pimms_cli::http_client::Answer;
use pimms_cli::instance::Instance;
use serde_json::{Value, json};

use crate::shared;
use crate::support::Workspace;

fn qr(query: &str) -> Answer {
    shared().client().get(&format!("/api/qr?{query}")).send().unwrap()
}

/// Width, height, colours and the pixels of a PNG with a palette of two: read as the format says.
fn decode(png: &[u8]) -> (u32, [u8; 6], Vec<Vec<bool>>) {
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let (mut at, mut data, mut edge, mut palette) = (8, Vec::new(), 0, [0; 6]);
    while at < png.len() {
        let length = u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
        let (kind, body) = (&png[at + 4..at + 8], &png[at + 8..at + 8 + length]);
        let sum = u32::from_be_bytes(png[at + 8 + length..at + 12 + length].try_into().unwrap());
        let mut crc = flate2::Crc::new();
        crc.update(&png[at + 4..at + 8 + length]);
        assert_eq!(crc.sum(), sum);
        match kind {
            b"IHDR" => {
                edge = u32::from_be_bytes(body[..4].try_into().unwrap());
                assert_eq!(body[..4], body[4..8], "square");
                assert_eq!(body[8..], [1, 3, 0, 0, 0]);
            }
            b"PLTE" => palette = body.try_into().unwrap(),
            b"IDAT" => data.extend_from_slice(body),
            _ => {}
        }
        at += 12 + length;
    }
    let mut rows = Vec::new();
    flate2::read::ZlibDecoder::new(data.as_slice()).read_to_end(&mut rows).unwrap();
    let stride = edge.div_ceil(8) as usize + 1;
    assert_eq!(rows.len(), stride * edge as usize);
    let bit = |row: &[u8], x: u32| row[1 + x as usize / 8] >> (7 - x % 8) & 1 == 1;
    (edge, palette, rows.chunks(stride).map(|row| (0..edge).map(|x| bit(row, x)).collect()).collect())
}

/// The three corners every QR code has: a ring of seven modules, seen at the middles of its modules.
fn has_finders(pixels: &[Vec<bool>], modules: usize, margin: usize) -> bool {
    let edge = pixels.len();
    let total = modules + 2 * margin;
    let dark = |x: usize, y: usize| {
        let middle = |module: usize| ((module + margin) * 2 + 1) * edge / (total * 2);
        pixels[middle(y)][middle(x)]
    };
    let finder = |left: usize, top: usize| {
        (0..7).all(|y| {
            (0..7).all(|x: usize| {
                let from_middle = x.abs_diff(3).max(usize::abs_diff(y, 3));
                dark(left + x, top + y) == (from_middle != 2)
            })
        })
    };
    finder(0, 0) && finder(modules - 7, 0) && finder(0, modules - 7)
}

#[test]
fn a_qr_code_is_a_png_of_the_size_and_colours_asked_for() {
    let url = "url=https%3A%2F%2Facme.example%2Fk";
    for (query, edge, palette, modules, margin) in [
        ("", 600, [255, 255, 255, 0, 0, 0], 25, 2),
        ("&size=321&fgColor=%23ff0000&bgColor=0f0&margin=0", 321, [0, 255, 0, 255, 0, 0], 25, 0),
        ("&level=H&size=2000&margin=4", 2000, [255, 255, 255, 0, 0, 0], 29, 4),
        ("&includeMargin=false&hideLogo=true", 600, [255, 255, 255, 0, 0, 0], 25, 2),
    ] {
        let answer = qr(&format!("{url}{query}"));
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/png")), "{query}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{query}");
        let (found_edge, found_palette, pixels) = decode(&answer.body);
        assert_eq!((found_edge, found_palette), (edge, palette), "{query}");
        assert!(has_finders(&pixels, modules, margin), "{query}");
    }
}

#[test]
fn the_qr_code_that_a_link_names_is_served_on_its_domain() {
    let acme = Workspace::new("qr-link");
    for key in ["k", "été", "a/b"] {
        let link = acme.post("/links", &json!({"url": "https://shop.example/", "key": key}));
        let address = link["qrCode"].as_str().unwrap();
        let path = address.strip_prefix(&format!("https://{}", acme.domain)).unwrap();
        let answer = shared().client().get(path).header("x-pimms-host", &acme.domain).send().unwrap();
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/png")), "{address}");
        // A scan of it is a visit by QR code.
        let text = address.split_once("url=").unwrap().1;
        assert!(text.starts_with(link["shortLink"].as_str().unwrap()) && text.ends_with("?qr=1"), "{text}");
    }
}

#[test]
fn a_qr_code_is_an_svg_when_asked_for() {
    let answer = qr("url=https%3A%2F%2Facme.example%2Fk&format=svg&size=100&fgColor=%23123456\
         &logo=https%3A%2F%2Facme.example%2F%3Ca%26b%22.png");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/svg+xml")));
    let text = answer.text();
    // Well formed: every < opens an element that is closed, every & a reference, and no attribute ends early.
    assert_eq!((text.matches('<').count(), text.matches('>').count(), text.matches("/>").count()), (6, 6, 4));
    assert!(text.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100\" height=\"100\" "));
    assert!(text.ends_with("</svg>") && text.contains("fill=\"#123456\""), "{text}");
    assert!(text.contains("href=\"https://acme.example/&lt;a&amp;b&quot;.png\""), "{text}");
    assert_eq!(text.matches('"').count() % 2, 0);
    assert!(answer.header("content-security-policy").is_some_and(|csp| csp.contains("default-src 'none'")));
}

#[test]
fn a_qr_code_that_cannot_be_drawn_is_refused_to_any_origin() {
    for (query, field) in [
        ("", "url"),
        ("url=javascript%3Aalert(1)", "url"),
        ("url=https://a.co&size=2001", "size"),
        ("url=https://a.co&size=99999999999", "size"),
        ("url=https://a.co&margin=21", "margin"),
        ("url=https://a.co&level=Z", "level"),
        ("url=https://a.co&fgColor=%22%3E%3Cscript%3E", "fgColor"),
        ("url=https://a.co&bgColor=red", "bgColor"),
        ("url=https://a.co&logo=https://a.co/logo.png", "logo"),
        ("url=https://a.co&format=svg&logo=https://169.254.169.254/", "logo"),
    ] {
        let answer = qr(query);
        let json: Value = answer.json();
        assert_eq!(
            (answer.status, json["error"]["code"].as_str()),
            (422, Some("unprocessable_entity")),
            "{query}"
        );
        assert!(json["error"]["message"].as_str().unwrap().contains(field), "{query}: {json}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{query}");
    }
    let long = qr(&format!("url=https://a.co/{}", "a".repeat(3500)));
    assert_eq!(long.status, 422);
    let preflight = shared().client().request("OPTIONS", "/api/qr").send().unwrap();
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, Some("*")));
    assert_eq!(shared().client().post("/api/qr").send().unwrap().status, 405);
}

/// Pages as they come on the internet, and who asked for them.
#[derive(Clone)]
struct Pages {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Pages {
    fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let pages = Self { address, asked: Arc::default() };
        let serving = pages.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let serving = serving.clone();
                thread::spawn(move || serving.answer(&stream.unwrap()));
            }
        });
        pages
    }

    fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }

    fn answer(&self, mut stream: &TcpStream) {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let first = lines.next().unwrap_or_default();
        let _ = lines.take_while(|line| !line.is_empty()).count();
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        self.asked.lock().unwrap().push(path.clone());
        let html = "<title>Tools</title><meta property=og:image content=/pic.png><meta name=description content='Fine &amp; old'>";
        let (status, more, body) = match path.strip_prefix("/to?") {
            Some(target) => (302, format!("Location: {target}\r\n"), String::new()),
            None if path.starts_with("/framed?") => {
                let header = path.trim_start_matches("/framed?").replace("%20", " ").replace("%27", "'");
                (200, format!("{header}\r\n"), html.to_owned())
            }
            None if path.starts_with("/script?") => {
                let tag = path.trim_start_matches("/script?");
                (
                    200,
                    "Content-Type: text/html\r\n".to_owned(),
                    format!("<p>Hi<script defer src={tag}></script>"),
                )
            }
            None if path == "/logo.png" => {
                let head = "Content-Type: image/png\r\n\r\n".to_owned();
                let _ = write!(stream, "HTTP/1.1 200 X\r\n{head}");
                // A picture that is red all over.
                let red = qr("url=https%3A%2F%2Fa.co&size=64&fgColor=f00&bgColor=f00");
                let _ = stream.write_all(&red.body);
                return;
            }
            None if path == "/text" => (200, "Content-Type: text/plain\r\n".to_owned(), html.to_owned()),
            None if path == "/gone" => (404, "Content-Type: text/html\r\n".to_owned(), html.to_owned()),
            None => (200, "Content-Type: text/html\r\n".to_owned(), html.to_owned()),
        };
        let _ = write!(stream, "HTTP/1.1 {status} X\r\n{more}Connection: close\r\n\r\n{body}");
        // A body that does not end.
        let (size, pause) = if path == "/drip" { (100, 200) } else { (64 * 1024, 0) };
        while matches!(path.as_str(), "/big" | "/drip") && stream.write_all(&vec![b' '; size]).is_ok() {
            thread::sleep(Duration::from_millis(pause));
        }
    }
}

/// `/script/check`: what it says of each page, and of what the site has reported.
fn the_script_is_looked_for(instance: &Instance, here: &str, private: &str) {
    let check = |url: &str| {
        let encoded: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
        let answer = instance.api("GET", &format!("/api/script/check?url={encoded}")).send().unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let worker = instance.ready().url.clone();
    for (path, status, fault) in [
        (format!("/script?{worker}/analytics/script.js"), "found", None),
        (format!("/to?/script?{worker}/analytics/script.js"), "found", None),
        ("/script?/_pimms/script.site-visit.js".to_owned(), "found", None),
        (format!("/script?{worker}/analytics/script.typo.js"), "faulty", Some("unknown_file")),
        ("/script?https://other.example/analytics/script.js".to_owned(), "faulty", Some("other_host")),
        ("/page".to_owned(), "absent", None),
        ("/gone".to_owned(), "status", None),
        ("/text".to_owned(), "not_html", None),
        ("/to?/to?/to?/to?/page".to_owned(), "moving", None),
        (format!("/to?http://{private}/page"), "not_public", None),
        ("/to?http://169.254.169.254/latest".to_owned(), "not_public", None),
    ] {
        let found = check(&format!("{here}{path}"));
        assert_eq!(found["status"], status, "{path}: {found}");
        assert_eq!(found["tags"][0]["faults"][0].as_str(), fault, "{path}: {found}");
        assert_eq!(found["reports"]["count"], 0, "{found}");
    }
    assert_eq!(check(&format!("{here}/gone"))["httpStatus"], 404);
    assert_eq!(
        check(&format!("{here}/script?/_pimms/script.js"))["tags"][0]["attributes"],
        json!([["defer", ""]])
    );
    assert_eq!(check("localhost")["status"], "not_public", "an address without a scheme is one of https");
    // What the site reports counts, and what another one does not.
    let link =
        json!({"domain": instance.ready().short_domain, "key": "partner", "url": "https://shop.example/"});
    assert_eq!(instance.api("POST", "/api/links").json(&link).send().unwrap().status, 200);
    let browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
    for page in [format!("{here}/p?via=partner"), "http://other.example/p?via=partner".to_owned()] {
        let body = json!({"domain": instance.ready().short_domain, "key": "partner", "url": page});
        let sent = instance
            .client()
            .post("/api/track/click")
            .header("user-agent", browser)
            .json(&body)
            .send()
            .unwrap();
        assert_eq!(sent.status, 200, "{}", sent.text());
    }
    let started = Instant::now();
    let reports = loop {
        let reports = check(&format!("{here}/page"))["reports"].clone();
        if reports["count"] != 0 || started.elapsed() > Duration::from_secs(20) {
            break reports;
        }
        thread::sleep(Duration::from_secs(4));
    };
    assert!(
        reports["count"] == 1 && reports["first"].is_string() && reports["first"] == reports["last"],
        "{reports}"
    );
    let refusal = instance.client().get("/api/script/check?url=https%3A%2F%2Fa.co").send().unwrap();
    assert_eq!(refusal.status, 401, "only who is signed in makes the Worker ask");
}

/// `/qr?logo=`: a PNG from somewhere public, in the middle of a PNG.
fn a_logo_is_drawn(instance: &Instance, here: &str, private: &str) {
    let draw = |logo: &str| {
        let logo: String = url::form_urlencoded::byte_serialize(logo.as_bytes()).collect();
        let path = format!("/api/qr?url=https%3A%2F%2Fa.co&size=200&logo={logo}");
        instance.client().get(&path).send().unwrap()
    };
    for path in ["/logo.png", "/to?/logo.png"] {
        let answer = draw(&format!("{here}{path}"));
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some("image/png")),
            "{}",
            answer.text()
        );
        let mut buffer = vec![0; minipng::decode_png_header(&answer.body).unwrap().required_bytes()];
        let picture = minipng::decode_png(&answer.body, &mut buffer).unwrap();
        assert_eq!((picture.width(), picture.height()), (200, 200));
        let pixel = |x: usize, y: usize| &picture.pixels()[(y * 200 + x) * 3..][..3];
        assert_eq!((pixel(100, 100), pixel(0, 0)), ([255, 0, 0].as_slice(), [255; 3].as_slice()));
    }
    for logo in [
        format!("{private}/logo.png"),
        format!("{here}/to?{private}/logo.png"),
        format!("{here}/to?http://169.254.169.254/logo.png"),
        format!("{here}/text"),
        format!("{here}/big"),
        format!("{here}/gone"),
        "https://127.0.0.1/logo.png".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let answer = draw(&logo);
        assert_eq!(answer.status, 422, "{logo}: {}", answer.text());
        assert!(answer.json()["error"]["message"].as_str().unwrap().starts_with("custom: logo: "), "{logo}");
    }
}

#[test]
fn the_head_of_a_page_is_read_and_nothing_private_is_asked() {
    let (pages, private) = (Pages::serve(), Pages::serve());
    let instance = Instance::start_with(&[("LOCAL_PAGES", &pages.address)]).unwrap();
    let read = |url: &str| {
        let encoded: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
        let answer = instance.client().get(&format!("/api/metatags?url={encoded}")).send().unwrap();
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some("*")), "{url}");
        answer.json()
    };
    let (here, there) = (format!("http://{}", pages.address), format!("http://{}", private.address));
    let found = json!({"title": "Tools", "description": "Fine & old", "image": format!("{here}/pic.png"),
        "poweredBy": "pimms-edge"});
    let nothing = |url: &str| {
        json!({"title": url, "description": "No description", "image": null,
        "poweredBy": "pimms-edge"})
    };
    a_logo_is_drawn(&instance, &here, &there);
    for path in ["/page", "/to?/page", "/to?page", "/to?/to?/to?/page", "/big"] {
        assert_eq!(read(&format!("{here}{path}")), found, "{path}\n{}", instance.log());
    }
    for url in [
        format!("{there}/page"),
        format!("{here}/to?{there}/page"),
        format!("{here}/to?/to?{there}/page"),
        format!("{here}/to?//{}/page", private.address),
        format!("{here}/to?http://localhost:{}/page", private.address.split(':').nth(1).unwrap()),
        format!("{here}/to?http://169.254.169.254/latest/meta-data"),
        format!("{here}/to?file:///etc/passwd"),
        format!("{here}/to?/to?/to?/to?/page"),
        format!("{here}/text"),
        format!("{here}/gone"),
        "http://127.0.0.1/".to_owned(),
        "nonsense".to_owned(),
    ] {
        assert_eq!(read(&url), nothing(&url), "{url}");
    }
    assert_eq!(private.asked("/page"), 0, "a private address was asked");
    assert_eq!(pages.asked("/page"), 4, "five hops are too many");
    let started = Instant::now();
    let slow = format!("{here}/drip");
    assert_eq!(read(&slow), nothing(&slow));
    let took = started.elapsed();
    assert!((4..8).contains(&took.as_secs()), "{took:?}");
    let framed = |path: &str| {
        let encoded: String =
            url::form_urlencoded::byte_serialize(format!("{here}{path}").as_bytes()).collect();
        let path = format!("/api/links/iframeable?domain=go.acme.com&url={encoded}");
        instance.client().get(&path).send().unwrap().json()["iframeable"].as_bool().unwrap()
    };
    for (path, expected) in [
        ("/page", true),
        ("/to?/page", true),
        ("/framed?X-Frame-Options: DENY", false),
        ("/framed?Content-Security-Policy: frame-ancestors https://go.acme.com", true),
        ("/framed?Content-Security-Policy: frame-ancestors 'none'", false),
        ("/to?http://169.254.169.254/", false),
        ("/gone", false),
    ] {
        assert_eq!(framed(path), expected, "{path}");
    }
    the_script_is_looked_for(&instance, &here, &private.address);
    let wrong = instance.client().get("/api/links/iframeable?url=https://a.co&domain=a%20b").send().unwrap();
    assert_eq!(wrong.status, 422);
    let refusal = instance.client().get("/api/metatags").send().unwrap();
    assert_eq!((refusal.status, refusal.header("access-control-allow-origin")), (422, Some("*")));
}
