//! Whether a user agent is a program's.
//!
//! A maintained list (`data/crawler-user-agents.json`) and three general words. Applied when clicks are stored,
//! not when they are answered: the raw user agent is kept, so a better list can be applied to history.

/// One text a line, sorted; made by `build_support/crawlers.rs`.
static CRAWLERS: &str = include_str!(concat!(env!("OUT_DIR"), "/crawlers.txt"));

/// Programs that fetch a page to show a preview of it to people. Source: wire contract, Appendix F, list P.
const PREVIEWS: [&str; 16] = [
    "linkedinbot",
    "facebookexternalhit",
    "twitterbot",
    "iframely",
    "whatsapp",
    "slackbot",
    "telegrambot",
    "google-pagerenderer",
    "chatgpt",
    "discordbot",
    "skypeuripreview",
    "zoombot",
    "mediumbot",
    "embedly",
    "google-safety",
    "fedicabot",
];

/// Phones whose names end like a robot's.
const NO_ROBOTS: [&str; 1] = ["cubot"];

/// Whether the user agent is a crawler's, a library's or a preview's. An absent one is not.
#[must_use]
pub fn is_bot(user_agent: &str) -> bool {
    has_general_word(&user_agent.to_ascii_lowercase())
        || CRAWLERS.lines().any(|line| {
            let mut chars = line.chars();
            match chars.next() {
                Some('^') => user_agent.starts_with(chars.as_str()),
                Some('$') => user_agent.ends_with(chars.as_str()),
                _ => user_agent.contains(line),
            }
        })
}

/// Whether the user agent fetches previews for people to look at.
#[must_use]
pub fn is_preview(user_agent: &str) -> bool {
    let lower = user_agent.to_ascii_lowercase();
    PREVIEWS.iter().any(|name| lower.contains(name))
}

/// `bot` at the end of a word, `crawl`, `spider`.
fn has_general_word(lower: &str) -> bool {
    let ends_word = |at: usize| {
        lower.get(at + 3..).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    let is_name = |at: usize| {
        NO_ROBOTS.iter().any(|name| lower.get(..at + 3).is_some_and(|before| before.ends_with(name)))
    };
    lower.match_indices("bot").any(|(at, _)| ends_word(at) && !is_name(at))
        || lower.contains("crawl")
        || lower.contains("spider")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_not_bots() {
        for user_agent in [
            "",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Linux; Android 13; CUBOT P80) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:125.0) Gecko/20100101 Firefox/125.0",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/314.0 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E219 Instagram 329.0.0.27.99 (iPhone14,5; iOS 17_4; en_US; en; scale=3.00; 1170x2532; 593257464)",
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/459.0.0.36.109;]",
            "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10",
        ] {
            assert!(!is_bot(user_agent), "{user_agent}");
        }
    }

    #[test]
    fn programs_are_bots() {
        for user_agent in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "WhatsApp/2.23.20.0",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "curl/8.5.0",
            "python-requests/2.31.0",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.0; +https://openai.com/gptbot)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/124.0.0.0 Safari/537.36",
            "SomethingNew-bot",
        ] {
            assert!(is_bot(user_agent), "{user_agent}");
        }
    }
}
