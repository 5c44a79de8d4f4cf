//! The public suffix list as a trie that a lookup can walk without unpacking it.
//!
//! The crate `psl` compiles the list to code: 230 kB of gzip in the Worker. As data it is a sixth of that.
//! `data/public_suffixes.txt` is the list that `psl` ships; a test compares the two rule by rule.
//!
//! A node is a byte (length of the label, 64 when it is a rule, 128 when it has children), the label, and, when it
//! has children, how many bytes they take (a varint) and the children.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const LIST: &str = "data/public_suffixes.txt";

#[derive(Default)]
struct Node {
    is_rule: bool,
    children: BTreeMap<String, Node>,
}

/// Writes `public_suffixes.bin`.
pub(crate) fn generate(out: &Path) -> Result<(), String> {
    println!("cargo:rerun-if-changed={LIST}");
    let text = fs::read_to_string(LIST).map_err(|e| format!("cannot read {LIST}: {e}"))?;
    let mut root = Node::default();
    for rule in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")) {
        let mut node = &mut root;
        for label in rule.rsplit('.') {
            node = node.children.entry(ascii(label)?).or_default();
        }
        node.is_rule = true;
    }
    let file = out.join("public_suffixes.bin");
    fs::write(&file, children(&root)?).map_err(|e| format!("cannot write {}: {e}", file.display()))
}

fn ascii(label: &str) -> Result<String, String> {
    if label.is_ascii() {
        return Ok(label.to_owned());
    }
    idna::domain_to_ascii(label).map_err(|e| format!("{LIST}: {label}: {e}"))
}

fn children(node: &Node) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for (label, child) in &node.children {
        let below = children(child)?;
        let length = u8::try_from(label.len()).ok().filter(|length| *length < 64);
        let length = length.ok_or_else(|| format!("{LIST}: {label} is longer than a label can be"))?;
        bytes.push(length | u8::from(child.is_rule) << 6 | u8::from(!below.is_empty()) << 7);
        bytes.extend_from_slice(label.as_bytes());
        if !below.is_empty() {
            varint(below.len(), &mut bytes);
            bytes.extend_from_slice(&below);
        }
    }
    Ok(bytes)
}

fn varint(mut value: usize, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(u8::try_from(value & 0x7F).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap_or_default());
}
