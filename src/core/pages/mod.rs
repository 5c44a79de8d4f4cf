//! The pages a visitor sees instead of a destination.
//!
//! Plain HTML that works without scripts: light and dark, English and French, nothing loaded from anywhere but
//! what the link's owner chose. Every text from outside goes through `escape`.

mod hand_off;
mod notice;
mod own;

pub use hand_off::{deep_link, direct_link, frame, universal_link};
pub use notice::Notice;
pub use own::{PasswordState, inspect, password, placeholder, preview};

use std::borrow::Cow;

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

use crate::core::language;

/// A finished page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The HTML.
    pub html: String,
    /// What the page may do, for `Content-Security-Policy`.
    pub policy: String,
}

/// A text in both languages of ours: English, French.
type Text = [&'static str; 2];

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#f6f7f9;--card:#fff;--text:#16191d;--quiet:#545c66;--line:#e2e6ea;--accent:#1f5fd6;--on-accent:#fff;--alert:#b42318}\
@media(prefers-color-scheme:dark){:root{--ground:#101317;--card:#191d23;--text:#eceff3;--quiet:#a5adb8;--line:#2c323a;--accent:#8ab4ff;--on-accent:#0b1220;--alert:#ff9b91}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);color:var(--text);font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\
main{width:100%;max-width:28rem;background:var(--card);border:1px solid var(--line);border-radius:14px;padding:2rem}\
h1{margin:0 0 .5rem;font-size:1.375rem;line-height:1.25;text-wrap:balance}\
p{margin:.5rem 0 0;color:var(--quiet);overflow-wrap:anywhere}\
a{color:var(--accent)}\
code{font:.9375rem/1.5 ui-monospace,SFMono-Regular,Menlo,monospace;color:var(--text)}\
label{display:block;margin:1.25rem 0 .375rem;font-weight:600}\
input{width:100%;padding:.625rem .75rem;border:1px solid var(--quiet);border-radius:8px;background:var(--ground);color:inherit;font:inherit}\
button,.button{display:inline-block;margin-top:1.25rem;padding:.625rem 1.125rem;border:0;border-radius:8px;background:var(--accent);color:var(--on-accent);font:inherit;font-weight:600;text-decoration:none;cursor:pointer}\
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}\
.error{color:var(--alert)}\
iframe{position:fixed;inset:0;width:100%;height:100%;border:0;background:#fff}";

/// English or French.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    English,
    French,
}

impl Language {
    fn of(accept_language: &str) -> Self {
        if language::prefers_french(accept_language) { Self::French } else { Self::English }
    }

    fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    fn pick(self, [english, french]: Text) -> &'static str {
        match self {
            Self::English => english,
            Self::French => french,
        }
    }
}

/// A page under construction. `title`, `head` and `body` are HTML already.
struct Draft<'a> {
    language: Language,
    title: &'a str,
    /// More of `<head>`.
    head: &'a str,
    /// All of `<body>`.
    body: &'a str,
    /// An inline script, the only one that may run.
    script: &'a str,
    /// More of the policy: `frame-src …;`
    policy: &'a str,
}

impl Draft<'_> {
    fn finish(self) -> Page {
        let Self { language, title, head, body, script, policy } = self;
        let code = language.code();
        let (script_tag, script_policy) = if script.is_empty() {
            (String::new(), String::new())
        } else {
            (format!("<script>{script}</script>"), format!("script-src 'sha256-{}'; ", digest(script)))
        };
        let html = format!(
            "<!doctype html><html lang=\"{code}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <meta name=\"robots\" content=\"noindex\"><title>{title}</title>{head}<style>{STYLE}</style></head>\
             <body>{body}{script_tag}</body></html>"
        );
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; {script_policy}{policy}base-uri 'none'; frame-ancestors 'none'",
            digest(STYLE)
        );
        Page { html, policy }
    }
}

/// A card with a heading. `title` and `body` are HTML already.
fn card(language: Language, title: &str, body: &str) -> Page {
    let body = format!("<main><h1>{title}</h1>{body}</main>");
    Draft { language, title, head: "", body: &body, script: "", policy: "form-action 'none'; " }.finish()
}

fn digest(text: &str) -> String {
    Base64::encode_string(&Sha256::digest(text))
}

/// A text as HTML, also inside a quoted attribute.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut html = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    Cow::Owned(html)
}
