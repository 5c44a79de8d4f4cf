//! Device, browser and operating system of a user agent, by the names that analytics shows.
//!
//! Names are those of ua-parser-js, which the wire contract (2.14) stores. Three ordered tables instead of
//! regular expressions: the first token that is found wins, the version is what follows it.

/// What a user agent says of itself. `Unknown` where it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client<'a> {
    /// `Desktop`, `Mobile`, `Tablet`, `Smarttv`, `Console`, `Wearable`.
    pub device: &'static str,
    /// `Chrome`, `Mobile Safari`, `Instagram`, …
    pub browser: &'static str,
    /// `124.0.0.0`.
    pub browser_version: &'a str,
    /// `Blink`, `WebKit`, `Gecko`, …
    pub engine: &'static str,
    /// `iOS`, `Android`, `Mac OS`, `Windows`, `Linux`, …
    pub os: &'static str,
    /// `17.4.1` with full stops, whatever the header uses; Windows by its public name.
    pub os_version: OsVersion<'a>,
}

/// A version as the header has it; [`OsVersion::shown`] writes it with full stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OsVersion<'a>(&'a str);

const UNKNOWN: &str = "Unknown";

/// Tokens in the order they are looked for: in-app browsers name the engine's browser as well, and almost all
/// call themselves Safari in the end. A token's version follows it.
const BROWSERS: [(&str, &str); 54] = [
    ("FBAN/", "Facebook"),
    ("FBAV/", "Facebook"),
    ("FB_IAB/", "Facebook"),
    ("Instagram ", "Instagram"),
    ("musical_ly_", "TikTok"),
    ("musical_ly", "TikTok"),
    ("TikTok/", "TikTok"),
    ("BytedanceWebview/", "TikTok"),
    ("LinkedInApp/", "LinkedIn"),
    ("[LinkedInApp]", "LinkedIn"),
    ("Twitter for iPhone/", "Twitter"),
    ("Twitter for iPhone", "Twitter"),
    ("TwitterAndroid", "Twitter"),
    ("Snapchat/", "Snapchat"),
    ("Snapchat ", "Snapchat"),
    ("[Pinterest/", "Pinterest"),
    ("Pinterest for ", "Pinterest"),
    ("MicroMessenger/", "WeChat"),
    ("KAKAOTALK ", "KAKAOTALK"),
    ("KAKAOTALK/", "KAKAOTALK"),
    (" Line/", "Line"),
    ("NAVER(inapp", "Naver"),
    ("GSA/", "GSA"),
    ("Teams/", "Teams"),
    ("Slack_SSB/", "Slack"),
    ("Electron/", "Electron"),
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edge/", "Edge"),
    ("OPiOS/", "Opera Mini"),
    ("Opera Mini/", "Opera Mini"),
    ("Opera Mobi", "Opera Mobi"),
    ("OPT/", "Opera Touch"),
    ("OPRGX/", "Opera GX"),
    ("OPX/", "Opera GX"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("UCBrowser/", "UCBrowser"),
    ("UBrowser/", "UCBrowser"),
    ("YaBrowser/", "Yandex"),
    ("Vivaldi/", "Vivaldi"),
    ("Brave/", "Brave"),
    ("Ddg/", "DuckDuckGo"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("MiuiBrowser/", "MIUI Browser"),
    ("HeyTapBrowser/", "HeyTap"),
    ("VivoBrowser/", "Vivo Browser"),
    ("Silk/", "Silk"),
    ("FxiOS/", "Firefox"),
    ("Focus/", "Firefox Focus"),
    ("Klar/", "Firefox Focus"),
    ("CriOS/", "Chrome"),
];

const WINDOWS: [(&str, &str); 8] = [
    ("10.0", "10"),
    ("6.3", "8.1"),
    ("6.2", "8"),
    ("6.1", "7"),
    ("6.0", "Vista"),
    ("5.2", "XP"),
    ("5.1", "XP"),
    ("5.0", "2000"),
];

const TELEVISIONS: [&str; 14] = [
    "SmartTV",
    "Smart-TV",
    "SMART-TV",
    "HbbTV",
    "AppleTV",
    "Apple TV",
    "GoogleTV",
    "Android TV",
    "BRAVIA",
    "CrKey",
    "AFT",
    "NetCast",
    "Roku",
    "Web0S",
];
const CONSOLES: [&str; 5] = ["PlayStation", "Xbox", "Nintendo", "PLAYSTATION", "Ouya"];

/// Reads a user agent.
#[must_use]
pub fn read(user_agent: &str) -> Client<'_> {
    let (os, os_version) = os(user_agent);
    let (browser, browser_version) = browser(user_agent, os);
    Client {
        device: device(user_agent, os),
        browser,
        browser_version,
        engine: engine(user_agent, os),
        os,
        os_version: OsVersion(os_version),
    }
}

impl OsVersion<'_> {
    /// `10.15.7`.
    #[must_use]
    pub fn shown(&self) -> String {
        self.0.replace('_', ".")
    }
}

fn os(ua: &str) -> (&'static str, &str) {
    let known = |version: &'static str| if version.is_empty() { UNKNOWN } else { version };
    if let Some(rest) = after(ua, "Windows Phone") {
        return ("Windows Phone", version(rest.trim_start_matches(" OS")));
    }
    if let Some(rest) = after(ua, "Windows NT ") {
        let number = version(rest);
        let name = WINDOWS.iter().find(|(n, _)| *n == number).map_or("", |(_, name)| name);
        return ("Windows", known(name));
    }
    if ua.contains("Windows") {
        return ("Windows", UNKNOWN);
    }
    if ["iPhone", "iPad", "iPod"].iter().any(|name| ua.contains(name)) {
        let rest = after(ua, "iPhone OS ").or_else(|| after(ua, "CPU OS ")).or_else(|| after(ua, "; iOS "));
        return ("iOS", rest.map_or(UNKNOWN, version));
    }
    if let Some(rest) = after(ua, "Mac OS X").or_else(|| after(ua, "Mac_PowerPC")) {
        return ("Mac OS", version(rest));
    }
    if let Some(rest) = after(ua, "CrOS ") {
        let rest = rest.split_once(' ').map_or("", |(_processor, rest)| rest);
        return ("Chromium OS", version(rest));
    }
    for (token, name) in [
        ("HarmonyOS", "HarmonyOS"),
        ("OpenHarmony", "HarmonyOS"),
        ("KAIOS/", "KaiOS"),
        ("Tizen", "Tizen"),
        ("Android", "Android"),
        ("Web0S", "webOS"),
        ("webOS", "webOS"),
        ("PlayStation ", "PlayStation"),
        ("PlayStation", "PlayStation"),
        ("Nintendo", "Nintendo"),
        ("BlackBerry", "BlackBerry"),
        ("BB10", "BlackBerry"),
        ("Ubuntu", "Ubuntu"),
        ("Fedora", "Fedora"),
        ("FreeBSD", "FreeBSD"),
        ("Linux", "Linux"),
        ("X11", "Linux"),
    ] {
        if let Some(rest) = after(ua, token) {
            // `Linux x86_64` names the processor, not a version.
            return (name, if name == "Linux" { UNKNOWN } else { version(rest) });
        }
    }
    (UNKNOWN, UNKNOWN)
}

fn browser<'a>(ua: &'a str, os: &str) -> (&'static str, &'a str) {
    for (token, name) in BROWSERS {
        if let Some(rest) = after(ua, token) {
            // The Facebook app gives its version apart from its name.
            let rest = if name == "Facebook" { after(ua, "FBAV/").unwrap_or(rest) } else { rest };
            return (name, version(rest));
        }
    }
    if let Some(rest) = after(ua, "HeadlessChrome/") {
        return ("Chrome Headless", version(rest));
    }
    if let Some(rest) = after(ua, "Chrome/") {
        let in_app = ua.contains("; wv)") || (os == "Android" && ua.contains("Version/4.0"));
        return (if in_app { "Chrome WebView" } else { "Chrome" }, version(rest));
    }
    if let Some(rest) = after(ua, "Firefox/") {
        return ("Firefox", version(rest));
    }
    if let Some(rest) = after(ua, "Opera") {
        return ("Opera", after(ua, "Version/").map_or_else(|| version(rest), version));
    }
    if let Some(rest) = after(ua, "MSIE ") {
        return ("IE", version(rest));
    }
    if ua.contains("Trident/") {
        return ("IE", after(ua, "rv:").map_or(UNKNOWN, version));
    }
    if os == "Android" && ua.contains("AppleWebKit") {
        return ("Android Browser", after(ua, "Version/").map_or(UNKNOWN, version));
    }
    if ua.contains("AppleWebKit") {
        let number = after(ua, "Version/").map_or(UNKNOWN, version);
        return match (ua.contains("Safari/"), os) {
            (true, "iOS") => ("Mobile Safari", number),
            (true, _) => ("Safari", number),
            (false, _) => ("WebKit", after(ua, "AppleWebKit/").map_or(UNKNOWN, version)),
        };
    }
    (UNKNOWN, UNKNOWN)
}

fn engine(ua: &str, os: &str) -> &'static str {
    let is_chromium = ["Chrome/", "Chromium/", "HeadlessChrome/"].iter().any(|token| ua.contains(token));
    match () {
        () if ua.contains("Edge/") => "EdgeHTML",
        () if is_chromium && os != "iOS" => "Blink",
        () if ua.contains("AppleWebKit") => "WebKit",
        () if ua.contains("Presto/") => "Presto",
        () if ua.contains("Trident/") || ua.contains("MSIE ") => "Trident",
        () if ua.contains("Goanna/") => "Goanna",
        () if ua.contains("Gecko/") => "Gecko",
        () => UNKNOWN,
    }
}

fn device(ua: &str, os: &str) -> &'static str {
    let has = |tokens: &[&str]| tokens.iter().any(|token| ua.contains(token));
    if has(&CONSOLES) {
        return "Console";
    }
    if has(&TELEVISIONS) || (os == "Tizen" && ua.contains("TV")) {
        return "Smarttv";
    }
    if has(&["Watch", "SM-R8", "SM-R9"]) {
        return "Wearable";
    }
    // Android leaves `Mobile` out on tablets.
    if has(&["iPad", "Tablet", "Kindle", "PlayBook"]) || (os == "Android" && !has(&["Mobile", "Opera Mini"]))
    {
        return "Tablet";
    }
    if has(&["Mobile", "iPhone", "iPod", "Opera Mini", "Opera Mobi", "BlackBerry"])
        || matches!(os, "Windows Phone" | "KaiOS" | "HarmonyOS")
    {
        return "Mobile";
    }
    "Desktop"
}

/// What follows the first `token`.
fn after<'a>(ua: &'a str, token: &str) -> Option<&'a str> {
    ua.find(token).and_then(|at| ua.get(at + token.len()..))
}

/// The number at the start of a text, at most 20 characters, or `Unknown`.
fn version(text: &str) -> &str {
    let text = text.trim_start_matches([' ', '/', '-', ':']);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    let number = text.get(..end.min(20)).unwrap_or_default().trim_end_matches(['.', '_']);
    if number.is_empty() { UNKNOWN } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_user_agents() {
        for (ua, expected) in [
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
                ["Desktop", "Chrome", "124.0.0.0", "Blink", "Mac OS", "10.15.7"],
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15",
                ["Desktop", "Safari", "17.4.1", "WebKit", "Mac OS", "10.15.7"],
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36 Edg/124.0.2478.51",
                ["Desktop", "Edge", "124.0.2478.51", "Blink", "Windows", "10"],
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:125.0) Gecko/20100101 Firefox/125.0",
                ["Desktop", "Firefox", "125.0", "Gecko", "Windows", "10"],
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
                ["Desktop", "Firefox", "125.0", "Gecko", "Linux", "Unknown"],
            ),
            (
                "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
                ["Desktop", "Firefox", "125.0", "Gecko", "Ubuntu", "Unknown"],
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
                ["Desktop", "Chrome", "124.0.0.0", "Blink", "Chromium OS", "14541.0.0"],
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1",
                ["Mobile", "Mobile Safari", "17.4.1", "WebKit", "iOS", "17.4.1"],
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
                ["Tablet", "Mobile Safari", "16.6", "WebKit", "iOS", "16.6"],
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/124.0.6367.71 Mobile/15E148 Safari/604.1",
                ["Mobile", "Chrome", "124.0.6367.71", "WebKit", "iOS", "17.4"],
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36",
                ["Mobile", "Chrome", "124.0.0.0", "Blink", "Android", "14"],
            ),
            (
                "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
                ["Tablet", "Chrome", "124.0.0.0", "Blink", "Android", "13"],
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/24.0 Chrome/117.0.0.0 Mobile Safari/537.36",
                ["Mobile", "Samsung Internet", "24.0", "Blink", "Android", "14"],
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E219 Instagram 329.0.0.27.99 (iPhone14,5; iOS 17_4; en_US)",
                ["Mobile", "Instagram", "329.0.0.27.99", "WebKit", "iOS", "17.4"],
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/459.0.0.36.109;]",
                ["Mobile", "Facebook", "459.0.0.36.109", "Blink", "Android", "14"],
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.0.0 Mobile Safari/537.36",
                ["Mobile", "Chrome WebView", "124.0.0.0", "Blink", "Android", "14"],
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36 OPR/81.0.0.0",
                ["Mobile", "Opera", "81.0.0.0", "Blink", "Android", "10"],
            ),
            (
                "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10",
                ["Mobile", "Opera Mini", "7.1.32052", "Presto", "Unknown", "Unknown"],
            ),
            (
                "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
                ["Desktop", "IE", "11.0", "Trident", "Windows", "7"],
            ),
            (
                "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36",
                ["Smarttv", "Safari", "Unknown", "WebKit", "Tizen", "6.0"],
            ),
            (
                "Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15",
                ["Console", "Safari", "13.0", "WebKit", "PlayStation", "5"],
            ),
            ("node", ["Desktop", "Unknown", "Unknown", "Unknown", "Unknown", "Unknown"]),
            ("", ["Desktop", "Unknown", "Unknown", "Unknown", "Unknown", "Unknown"]),
        ] {
            let client = read(ua);
            let os_version = client.os_version.shown();
            let found = [
                client.device,
                client.browser,
                client.browser_version,
                client.engine,
                client.os,
                &os_version,
            ];
            assert_eq!(found, expected, "{ua}");
        }
    }
}
