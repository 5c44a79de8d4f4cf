//! Where links come from: rows of a CSV file, or pages of an API.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use pimms_edge::core::api::link::PASSWORD_SHOWN;
use serde_json::{Map, Value, json};

use super::{Kind, Wanted, fields};
use crate::failure::{Failure, OrFail};
use crate::http_client::{Answer, Client};
use crate::target::text;

/// Links in one page, the most that Dub and PiMMs give.
const PAGE: usize = 100;

/// How often a page is asked for while there are too many requests.
const ATTEMPTS: u32 = 8;

/// The rows of a CSV file; those that cannot be read with their reason.
pub(super) fn csv(file: &Path) -> Result<Vec<Result<Wanted, String>>, Failure> {
    let doing = || format!("cannot read {}", file.display());
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_path(file).or_fail(doing)?;
    let columns: Vec<String> = reader.headers().or_fail(doing)?.iter().map(column).collect();
    if !columns.iter().any(|name| name == "url") {
        return Err(Failure::new(format!("{}: the header names no url", file.display())));
    }
    Ok(reader
        .records()
        .map(|row| {
            let row = row.map_err(|e| e.to_string())?;
            let mut link = Map::new();
            for (name, value) in columns.iter().zip(&row).filter(|(_, value)| !value.is_empty()) {
                put(&mut link, name, value)?;
            }
            if link.contains_key("url") { Ok(link) } else { Err("the row has no url".to_owned()) }
        })
        .collect())
}

/// The API's name of a column; other names that exports of link shorteners use are understood.
fn column(header: &str) -> String {
    let plain: String =
        header.trim_start_matches('\u{feff}').chars().filter(char::is_ascii_alphanumeric).collect();
    match plain.to_ascii_lowercase().as_str() {
        "destination" | "destinationurl" | "longurl" | "target" | "targeturl" => "url".to_owned(),
        "shortlink" | "shorturl" | "link" => "shortLink".to_owned(),
        "slug" | "backhalf" | "path" => "key".to_owned(),
        "tags" => "tagNames".to_owned(),
        "expires" | "expirationdate" => "expiresAt".to_owned(),
        plain => {
            let same = |name: &&str| name.replace('_', "").eq_ignore_ascii_case(plain);
            fields().into_keys().find(same).unwrap_or_default().to_owned()
        }
    }
}

fn put(link: &mut Wanted, name: &str, value: &str) -> Result<(), String> {
    if name == "shortLink" {
        let bare = value.split_once("://").map_or(value, |(_, rest)| rest);
        let (domain, key) = bare.split_once('/').unwrap_or((bare, "_root"));
        link.insert("domain".to_owned(), domain.into());
        link.insert("key".to_owned(), key.trim_matches('/').into());
        return Ok(());
    }
    let value = match fields().get(name) {
        None | Some(Kind::Object) => return Ok(()), // a column we have no use for
        Some(Kind::Text) => value.into(),
        Some(Kind::List) => value.split(',').map(str::trim).filter(|tag| !tag.is_empty()).collect(),
        Some(Kind::Flag) => match value.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => true.into(),
            "false" | "no" | "0" => false.into(),
            _ => return Err(format!("{name}: {value:?} is neither true nor false")),
        },
    };
    link.insert(name.to_owned(), value);
    Ok(())
}

/// Every link that the API lists.
pub(super) fn api(base: &str, key: &str) -> Result<Vec<Result<Wanted, String>>, Failure> {
    let client = Client::new(base);
    let mut links = Vec::new();
    for page in 1.. {
        let path =
            format!("/links?page={page}&pageSize={PAGE}&showArchived=true&sortBy=createdAt&sortOrder=asc");
        let doing = || format!("{base}/links, page {page}");
        let answer = patiently(&client, &path, key)?.success().or_fail(doing)?.json();
        let found = answer.as_array().ok_or("no list of links").or_fail(doing)?;
        links.extend(found.iter().map(taken_over));
        if found.len() < PAGE {
            break;
        }
    }
    Ok(links)
}

fn patiently(client: &Client, path: &str, key: &str) -> Result<Answer, Failure> {
    let mut pause = Duration::from_millis(500);
    let mut answer = client.get(path).bearer(key).send()?;
    for _ in 1..ATTEMPTS {
        if answer.status != 429 && answer.status < 500 {
            break;
        }
        sleep(pause);
        pause *= 2;
        answer = client.get(path).bearer(key).send()?;
    }
    Ok(answer)
}

/// What of a link object is taken over: its settings, not its figures.
fn taken_over(link: &Value) -> Result<Wanted, String> {
    // An open link where a password was would be worse than none.
    if link.get("password").and_then(Value::as_str) == Some(PASSWORD_SHOWN) {
        return Err(format!("{}: its password is not told by the API", text(link, "shortLink")));
    }
    let mut wanted = Map::new();
    for (name, kind) in fields() {
        let value = match kind {
            Kind::List => {
                let tags = link.get("tags").and_then(Value::as_array).into_iter().flatten();
                let names: Vec<&str> = tags.map(|tag| text(tag, "name")).collect();
                if names.is_empty() { Value::Null } else { json!(names) }
            }
            _ => link.get(name).cloned().unwrap_or_default(),
        };
        if !value.is_null() && value != "" {
            wanted.insert(name.to_owned(), value);
        }
    }
    if wanted.contains_key("url") {
        Ok(wanted)
    } else {
        Err(format!("{}: has no url", text(link, "shortLink")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_other_exports_are_understood() {
        for (header, expected) in [
            ("url", "url"),
            ("Destination URL", "url"),
            ("\u{feff}Short Link", "shortLink"),
            ("Slug", "key"),
            ("UTM Source", "utm_source"),
            ("external_id", "externalId"),
            ("Tags", "tagNames"),
            ("Clicks", ""),
        ] {
            assert_eq!(column(header), expected, "{header}");
        }
    }

    #[test]
    fn rows_become_links_or_reasons() {
        let file = std::env::temp_dir().join(format!("pimms-import-{}.csv", std::process::id()));
        std::fs::write(
            &file,
            "Short Link,Destination,Tags,Archived,Clicks\n\
             https://d.co/sale/now,https://x.io/?a=1,\"one, two\",no,12\n\
             d.co,https://root.io,,,\n\
             https://d.co/b,,,,\n\
             https://d.co/c,https://x.io,,maybe,\n",
        )
        .unwrap();
        let links = csv(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(
            links[0].as_ref().unwrap(),
            json!({"domain": "d.co", "key": "sale/now", "url": "https://x.io/?a=1", "tagNames": ["one", "two"],
                "archived": false})
            .as_object()
            .unwrap()
        );
        assert_eq!(links[1].as_ref().unwrap()["key"], "_root");
        assert_eq!(links[2], Err("the row has no url".to_owned()));
        assert_eq!(links[3], Err("archived: \"maybe\" is neither true nor false".to_owned()));
    }

    #[test]
    fn figures_are_not_taken_over_and_hidden_passwords_are_refused() {
        let link = json!({"id": "link_1", "shortLink": "https://d.co/a", "domain": "d.co", "key": "a",
            "url": "https://x.io", "clicks": 7, "title": null, "tags": [{"id": "tag_1", "name": "one"}]});
        let expected = json!({"domain": "d.co", "key": "a", "url": "https://x.io", "tagNames": ["one"]});
        assert_eq!(&taken_over(&link).unwrap(), expected.as_object().unwrap());
        let mut hidden = link;
        hidden["password"] = PASSWORD_SHOWN.into();
        assert!(taken_over(&hidden).is_err());
    }
}
