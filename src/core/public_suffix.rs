//! Which hosts belong to one owner: the public suffix list.
//!
//! `acme.co.uk` is one owner's, `co.uk` is everybody's, and so is `github.io`. Cookies are shared, and
//! `redir_url` is followed, within one registrable domain only. Private rules count as well, as in browsers.

use std::sync::LazyLock;

/// The list as a trie; its form is described in `build_support/public_suffixes.rs`.
static TRIE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/public_suffixes.bin"));

/// Where the top-level domains of each first letter begin in [`TRIE`]: every look-up starts among them, and there are
/// more than a thousand.
static INITIALS: LazyLock<Vec<(u8, &'static [u8])>> = LazyLock::new(|| {
    let mut initials: Vec<(u8, &'static [u8])> = Vec::new();
    let mut block = TRIE;
    while let Some(entry) = Entry::first_of(block) {
        let initial = entry.name.first().copied().unwrap_or_default();
        if initials.last().is_none_or(|(last, _)| *last != initial) {
            initials.push((initial, block));
        }
        block = entry.after;
    }
    initials
});

/// The registrable domain of a host (lower case, Punycode): its public suffix and one label more.
///
/// `None` for addresses, single labels and public suffixes themselves.
#[must_use]
pub fn registrable(host: &str) -> Option<&str> {
    walk(host).map(|(domain, _)| domain)
}

/// The registrable domain, and whether it is that of every host below it too.
fn walk(host: &str) -> Option<(&str, bool)> {
    let is_address = host.rsplit('.').next().is_none_or(|last| last.bytes().all(|b| b.is_ascii_digit()));
    if is_address || host.contains([':', '[']) {
        return None;
    }
    let mut suffix_labels = 1;
    let mut is_settled = false;
    let mut block = TRIE;
    for (index, label) in host.rsplit('.').enumerate() {
        if index == 0 {
            // Wildcards and exceptions, which come first, are of no top-level domain.
            let initial = label.bytes().next();
            let from = INITIALS.iter().find(|(letter, _)| Some(*letter) == initial);
            block = from.map_or(&[], |(_, block)| *block);
        }
        let step = look(block, label);
        if step.is_exception {
            suffix_labels = index;
            break;
        }
        if step.is_rule {
            suffix_labels = index + 1;
        }
        block = step.below;
        if block.is_empty() {
            // Past the domain's own labels a host below it might have taken another way down.
            is_settled = index <= suffix_labels;
            break;
        }
    }
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    let before_suffix = dots.nth(suffix_labels.checked_sub(1)?)?;
    let start = dots.next().map_or(0, |at| at + 1);
    (start < before_suffix).then(|| host.get(start..)).flatten().map(|domain| (domain, is_settled))
}

/// Whether two hosts are one owner's.
#[must_use]
pub fn is_same_site(one: &str, other: &str) -> bool {
    one == other || shared(one, other).is_some()
}

/// The registrable domain that two hosts share.
#[must_use]
pub fn shared<'a>(one: &'a str, other: &str) -> Option<&'a str> {
    // A registrable domain has two labels at least, and most pairs of hosts do not end alike in as many.
    let (mut ours, mut theirs) = (one.rsplit('.'), other.rsplit('.'));
    if ours.next() != theirs.next() || ours.next()? != theirs.next()? {
        return None;
    }
    let (domain, is_settled) = walk(one)?;
    let is_below = || other.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    (if is_settled { is_below() } else { registrable(other) == Some(domain) }).then_some(domain)
}

/// What one level of the trie says about a label.
struct Step<'a> {
    is_rule: bool,
    is_exception: bool,
    below: &'a [u8],
}

fn look<'a>(mut block: &'a [u8], label: &str) -> Step<'a> {
    let mut step = Step { is_rule: false, is_exception: false, below: &[] };
    while let Some(entry) = Entry::first_of(block) {
        let Entry { name, is_rule, below, after } = entry;
        // In order; wildcards and exceptions come before all letters.
        if name > label.as_bytes() && name > b"*".as_slice() {
            break;
        }
        if name == label.as_bytes() {
            step.is_rule |= is_rule;
            step.below = below;
        } else if name == b"*" {
            step.is_rule |= is_rule;
        } else if name.strip_prefix(b"!") == Some(label.as_bytes()) {
            step.is_exception = true;
        }
        block = after;
    }
    step
}

/// A node of the trie, and what comes after it on its level.
struct Entry<'a> {
    name: &'a [u8],
    is_rule: bool,
    below: &'a [u8],
    after: &'a [u8],
}

impl<'a> Entry<'a> {
    /// `None` at the end, or where the trie is damaged.
    fn first_of(block: &'a [u8]) -> Option<Self> {
        let (&head, rest) = block.split_first()?;
        let (name, rest) = rest.split_at_checked(usize::from(head & 63))?;
        let (below, after) = if head & 128 == 0 {
            (Default::default(), rest)
        } else {
            let (length, rest) = varint(rest)?;
            rest.split_at_checked(length)?
        };
        Some(Self { name, is_rule: head & 64 != 0, below, after })
    }
}

fn varint(mut bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (mut value, mut shift) = (0_usize, 0_u32);
    loop {
        let (&byte, rest) = bytes.split_first()?;
        bytes = rest;
        value |= usize::from(byte & 0x7F).checked_shl(shift)?;
        shift += 7;
        if byte < 0x80 {
            return Some((value, bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: the list's own test data, and hosts that people really use.
    #[test]
    fn registrable_domains() {
        for (host, expected) in [
            ("acme.com", Some("acme.com")),
            ("go.acme.com", Some("acme.com")),
            ("a.b.go.acme.com", Some("acme.com")),
            ("com", None),
            ("acme.co.uk", Some("acme.co.uk")),
            ("go.acme.co.uk", Some("acme.co.uk")),
            ("co.uk", None),
            ("me.github.io", Some("me.github.io")),
            ("a.me.github.io", Some("me.github.io")),
            ("github.io", None),
            ("x.vercel.app", Some("x.vercel.app")),
            ("pimms-edge.acme.workers.dev", Some("acme.workers.dev")),
            ("c.kobe.jp", None),
            ("b.c.kobe.jp", Some("b.c.kobe.jp")),
            ("a.b.c.kobe.jp", Some("b.c.kobe.jp")),
            ("city.kobe.jp", Some("city.kobe.jp")),
            ("www.city.kobe.jp", Some("city.kobe.jp")),
            ("www.ck", Some("www.ck")),
            ("www.www.ck", Some("www.ck")),
            ("x.y.ck", Some("x.y.ck")),
            ("test.k12.ak.us", Some("test.k12.ak.us")),
            ("xn--85x722f.xn--55qx5d.cn", Some("xn--85x722f.xn--55qx5d.cn")),
            ("a.xn--85x722f.xn--55qx5d.cn", Some("xn--85x722f.xn--55qx5d.cn")),
            ("xn--55qx5d.cn", None),
            ("acme.unlisted", Some("acme.unlisted")),
            ("go.acme.unlisted", Some("acme.unlisted")),
            ("localhost", None),
            ("127.0.0.1", None),
            ("[::1]", None),
            ("", None),
            (".com", None),
            ("..", None),
        ] {
            assert_eq!(registrable(host), expected, "{host}");
        }
    }

    #[test]
    fn owners_are_compared_whole() {
        for (one, other, expected) in [
            ("go.acme.com", "acme.com", Some("acme.com")),
            ("go.acme.com", "www.acme.com", Some("acme.com")),
            ("go.acme.com", "acme.co", None),
            ("go.acme.com", "evilacme.com", None),
            ("a.github.io", "b.github.io", None),
            ("a.co.uk", "b.co.uk", None),
            ("go.a.co.uk", "a.co.uk", Some("a.co.uk")),
            ("localhost", "localhost", None),
            ("com", "acme.com", None),
            ("acme.com", "com", None),
            ("go.example", "shop.example", None),
            ("go.shop.example", "shop.example", Some("shop.example")),
            ("x.y.ck", "z.x.y.ck", Some("x.y.ck")),
            ("a.kobe.jp", "b.a.kobe.jp", None),
            ("c.b.a.kobe.jp", "b.a.kobe.jp", Some("b.a.kobe.jp")),
            ("go.amazonaws.com", "x.s3.amazonaws.com", None),
        ] {
            assert_eq!(shared(one, other), expected, "{one} {other}");
        }
        assert!(is_same_site("localhost", "localhost"));
        assert!(!is_same_site("10.0.0.1", "11.0.0.1"));
    }
}
