//! What `docs/security.md` promises, held against the sources: every attack has a test that exists or the reason
//! why not, and nothing that proves something is compared byte by byte.

#![expect(clippy::panic, reason = "a check that cannot run is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;
use syn::{BinOp, Expr, ItemMod};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Attacks that the table must answer, by words of its first column.
const ATTACKS: [&str; 48] = [
    "garbage header",
    "downgrade",
    "wrong key",
    "time outside",
    "folded lines",
    "many signatures",
    "body changed",
    "replay",
    "lengths that lie",
    "encoding",
    "deep, doubled",
    "no money",
    "other methods",
    "test passed off",
    "oracle",
    "chosen by the body",
    "taken away",
    "timing",
    "open redirect",
    "javascript:",
    "chosen by the visitor",
    "forged and guessed",
    "click ids of another workspace",
    "cookie tossing",
    "cookie flags",
    "header injection",
    "forged host",
    "homographs",
    "key enumeration",
    "link's password",
    "files of the project",
    "revoked key",
    "key in the address",
    "tenant isolation",
    "bootstrap",
    "session fixation",
    "csrf",
    "sql injection",
    "duplicated json keys",
    "mass assignment",
    "stored xss",
    "csv formulas",
    "cors",
    "ssrf",
    "outbound webhooks",
    "rate limits",
    "logs",
    "secrets that are missing",
];

/// `| attack | test | result |` → the first two.
fn rows(page: &str) -> Vec<(String, String)> {
    page.lines()
        .filter(|line| line.starts_with('|') && !line.starts_with("|---") && !line.starts_with("| attack"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [attack, test, _] = cells.as_slice() else { panic!("three cells: {line}") };
            ((*attack).to_owned(), (*test).to_owned())
        })
        .collect()
}

#[test]
fn every_attack_has_a_test_that_exists_or_a_reason() {
    let rows = rows(&read(&root().join("docs/security.md")));
    assert!(rows.len() > 50, "{}", rows.len());
    let mut wrong = Vec::new();
    for (attack, cell) in &rows {
        if cell.strip_prefix("Not tested: ").is_some_and(|reason| reason.len() > 40) {
            continue;
        }
        for test in cell.split(", ") {
            let named = test.trim_matches('`').split_once("::");
            let Some((file, name)) = named else {
                wrong.push(format!("{attack}: {test} is no test"));
                continue;
            };
            let path =
                if file.starts_with("src/") { root().join(file) } else { root().join("tests").join(file) };
            let source = fs::read_to_string(&path).unwrap_or_default();
            let found = source.split_once(&format!("fn {name}(")).is_some_and(|(before, _)| {
                before.trim_end().ends_with("#[test]") || before.contains("proptest!")
            });
            if !found {
                wrong.push(format!("{attack}: there is no test {test}"));
            }
        }
    }
    let attacks: BTreeSet<String> = rows.iter().map(|(attack, _)| attack.to_lowercase()).collect();
    let missing = ATTACKS.iter().filter(|wanted| !attacks.iter().any(|attack| attack.contains(*wanted)));
    wrong.extend(missing.map(|attack| format!("no row about: {attack}")));
    assert!(wrong.is_empty(), "docs/security.md:\n{}", wrong.join("\n"));
}

/// Names of values that prove something, as whole words of an identifier.
const PROOFS: [&str; 7] = ["mac", "digest", "hash", "signature", "secret", "password", "hmac"];

/// Comparisons with `==` and `!=`, or `eq`, that one of [`PROOFS`] takes part in.
#[derive(Default)]
struct Comparisons {
    found: Vec<String>,
}

impl Comparisons {
    fn look(&mut self, sides: [&Expr; 2]) {
        // A constant is public: with one is compared what is shown instead of a secret.
        let is_public = |side: &&Expr| matches!(side, Expr::Lit(_)) || is_constant(side);
        if sides.iter().any(|side| proves(side)) && !sides.iter().any(is_public) {
            self.found.push(sides.map(names).join(" == "));
        }
    }
}

impl<'ast> Visit<'ast> for Comparisons {
    fn visit_expr_binary(&mut self, found: &'ast syn::ExprBinary) {
        if matches!(found.op, BinOp::Eq(_) | BinOp::Ne(_)) {
            self.look([&found.left, &found.right]);
        }
        syn::visit::visit_expr_binary(self, found);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if matches!(call.method.to_string().as_str(), "eq" | "ne" | "starts_with" | "eq_ignore_ascii_case")
            && let Some(other) = call.args.first()
        {
            self.look([&call.receiver, other]);
        }
        syn::visit::visit_expr_method_call(self, call);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if item.ident != "tests" {
            syn::visit::visit_item_mod(self, item);
        }
    }
}

/// Whether the value of an expression is called a proof: its last name, looking through references and conversions.
fn proves(side: &Expr) -> bool {
    let name = match side {
        Expr::Reference(inner) => return proves(&inner.expr),
        Expr::Unary(inner) => return proves(&inner.expr),
        Expr::Paren(inner) => return proves(&inner.expr),
        Expr::Index(inner) => return proves(&inner.expr),
        Expr::Try(inner) => return proves(&inner.expr),
        Expr::MethodCall(call) => {
            let through = [
                "as_bytes",
                "as_str",
                "as_ref",
                "as_slice",
                "to_owned",
                "to_string",
                "clone",
                "finalize",
                "into_bytes",
            ];
            if through.contains(&call.method.to_string().as_str()) {
                return proves(&call.receiver);
            }
            call.method.to_string()
        }
        Expr::Call(call) => return proves(&call.func),
        Expr::Field(field) => match &field.member {
            syn::Member::Named(name) => name.to_string(),
            syn::Member::Unnamed(_) => return proves(&field.base),
        },
        Expr::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
        _ => return false,
    };
    name.split('_').any(|word| PROOFS.contains(&word))
}

/// `SHOUTED`
fn is_constant(side: &Expr) -> bool {
    let Expr::Path(path) = side else { return false };
    path.path.segments.last().is_some_and(|last| !last.ident.to_string().contains(char::is_lowercase))
}

/// The names in an expression, for a message.
fn names(side: &Expr) -> String {
    struct Names(Vec<String>);
    impl<'ast> Visit<'ast> for Names {
        fn visit_ident(&mut self, name: &'ast syn::Ident) {
            self.0.push(name.to_string());
        }
    }
    let mut names = Names(Vec::new());
    names.visit_expr(side);
    names.0.join(" ")
}

fn sources() -> Vec<PathBuf> {
    let mut open = vec![root().join("src")];
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            open.extend(entries.flatten().map(|entry| entry.path()));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
    found
}

fn comparisons(source: &str) -> Vec<String> {
    let file = syn::parse_file(source).unwrap_or_else(|e| panic!("{e}"));
    let mut comparisons = Comparisons::default();
    comparisons.visit_file(&file);
    comparisons.found
}

#[test]
fn secrets_are_compared_in_constant_time() {
    let sources = sources();
    assert!(sources.len() > 100, "{}", sources.len());
    for path in &sources {
        let found = comparisons(&read(path));
        assert!(found.is_empty(), "{}: use ct_eq or verify_slice: {found:?}", path.display());
    }
    // Where something is proved, one of the two is used.
    for (file, how) in [
        ("src/core/stripe/signature.rs", "verify_slice("),
        ("src/core/session.rs", "verify_slice("),
        ("src/core/click_id.rs", "ct_eq("),
        ("src/core/password.rs", "ct_eq("),
        ("src/http/bootstrap.rs", "ct_eq("),
    ] {
        assert!(read(&root().join(file)).contains(how), "{file} does not use {how}");
    }
}

#[test]
fn the_scan_sees_what_it_is_for() {
    for (line, seen) in [
        ("mac == given", true),
        ("given != &expected_mac[..]", true),
        ("self.hash.as_bytes() == given", true),
        ("hash(given).as_str() == row.text", true),
        ("given.eq(&digest)", true),
        ("given.starts_with(&signature)", true),
        ("hash.len() == 32", false),
        ("secrets.len() == 0", false),
        ("machine == other", false),
        ("password != SHOWN", false),
        ("name == \"password\"", false),
    ] {
        let found = comparisons(&format!("fn f() -> bool {{ {line} }}"));
        assert_eq!(!found.is_empty(), seen, "{line}: {found:?}");
    }
}
