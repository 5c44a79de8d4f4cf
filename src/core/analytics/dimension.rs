//! What clicks are counted ahead by.

use super::group::{TRIGGER, WITHOUT_QUERY_REFERER};

/// One property of a click whose values are counted ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimension {
    /// As in `click_sums.dimension`.
    pub name: &'static str,
    /// Its value as text, over the click `c`.
    pub sql: &'static str,
}

/// The number of the quarter of an hour since 1970. Every zone's offset is a multiple of it, so days and hours of
/// any zone are made of whole quarters.
pub const TIME: Dimension = Dimension { name: "time", sql: "CAST(c.at / 900000 AS TEXT)" };
/// Which link; counted for all links together only.
pub const LINK: Dimension = Dimension { name: "link", sql: "c.link_id" };
/// Ways of arriving: the one with the fewest values, so plain counts are sums of it.
pub const BY_TRIGGER: Dimension = Dimension { name: "trigger", sql: TRIGGER };
/// Continents.
pub const CONTINENT: Dimension = Dimension { name: "continent", sql: "c.continent" };
/// Countries.
pub const COUNTRY: Dimension = Dimension { name: "country", sql: "c.country" };
/// `["US","US-CA"]`
pub const BY_REGION: Dimension = Dimension { name: "region", sql: REGION_PAIR };
/// `["FR","Paris"]`
pub const CITY: Dimension = Dimension { name: "city", sql: "json_array(c.country, c.city)" };
/// Kinds of device.
pub const DEVICE: Dimension = Dimension { name: "device", sql: "c.device" };
/// Browsers.
pub const BROWSER: Dimension = Dimension { name: "browser", sql: "c.browser" };
/// Operating systems.
pub const OS: Dimension = Dimension { name: "os", sql: "c.os" };
/// Hosts that referred.
pub const REFERER: Dimension = Dimension { name: "referer", sql: "c.referer" };
/// Pages that referred.
pub const REFERER_URL: Dimension = Dimension { name: "referer_url", sql: WITHOUT_QUERY_REFERER };
/// Destinations with their UTM values.
pub const URL: Dimension = Dimension { name: "url", sql: "c.url" };

const REGION_PAIR: &str = "json_array(c.country, CASE WHEN c.region = 'Unknown' THEN c.region \
    ELSE c.country || '-' || c.region END)";

/// All of them.
pub const DIMENSIONS: [Dimension; 13] = [
    TIME,
    LINK,
    BY_TRIGGER,
    CONTINENT,
    COUNTRY,
    BY_REGION,
    CITY,
    DEVICE,
    BROWSER,
    OS,
    REFERER,
    REFERER_URL,
    URL,
];

#[cfg(test)]
mod tests {
    use super::super::group::REGION;
    use super::*;

    #[test]
    fn a_region_is_written_in_one_way() {
        assert!(REGION_PAIR.contains(REGION), "{REGION}");
    }
}
