//! What a bundle weighs against what the platform takes.

use std::fmt;
use std::fs;
use std::path::Path;

use crate::failure::{Failure, OrFail};
use crate::files;
use crate::size::Size;

/// Largest Worker after gzip, in bytes: Workers Free and Workers Paid.
///
/// Source: Cloudflare, "Workers limits", Worker size.
const FREE: usize = 3 * 1024 * 1024;
const PAID: usize = 10 * 1024 * 1024;

/// The weight of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bundle(pub Size);

/// Weighs the modules in a folder that wrangler wrote.
///
/// # Errors
/// When it cannot be read, or is empty.
pub fn measure(folder: &Path) -> Result<Bundle, Failure> {
    let mut total = Size { raw: 0, gzip: 0 };
    for path in files::all_files(&[folder.to_path_buf()])? {
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        // Source maps and wrangler's README are not uploaded.
        if !["js", "mjs", "wasm"].contains(&kind) {
            continue;
        }
        let content = fs::read(&path).or_fail(|| format!("cannot read {}", path.display()))?;
        let size = Size::of(&content)?;
        total.raw += size.raw;
        total.gzip += size.gzip;
    }
    if total.raw == 0 {
        return Err(Failure::new(format!("wrangler put no Worker into {}", folder.display())));
    }
    Ok(Bundle(total))
}

impl Bundle {
    /// Refuses what no plan takes.
    ///
    /// # Errors
    /// When it is above the limit of Workers Paid.
    pub fn verdict(&self) -> Result<(), Failure> {
        if self.0.gzip > PAID {
            return Err(Failure::new(format!("the Worker is too large for any plan\n{self}")));
        }
        Ok(())
    }
}

impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |limit: usize| self.0.gzip * 100 / limit;
        let Size { raw, gzip } = self.0;
        let fits = if gzip > FREE { "needs Workers Paid" } else { "fits Workers Free" };
        write!(
            f,
            "Bundle: {} KiB, {} KiB after gzip: {} % of 3 MiB (Workers Free), {} % of 10 MiB (Workers Paid); {fits}.",
            raw / 1024,
            gzip / 1024,
            percent(FREE),
            percent(PAID)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_held_against_both_plans() {
        for (gzip, words, fits) in [
            (
                1024 * 1024,
                "33 % of 3 MiB (Workers Free), 10 % of 10 MiB (Workers Paid); fits Workers Free.",
                true,
            ),
            (FREE + 1, "needs Workers Paid", true),
            (PAID + 1, "needs Workers Paid", false),
        ] {
            let bundle = Bundle(Size { raw: 2 * gzip, gzip });
            assert!(bundle.to_string().contains(words), "{bundle}");
            assert_eq!(bundle.verdict().is_ok(), fits, "{bundle}");
        }
    }
}
