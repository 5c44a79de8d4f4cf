//! Links come over from another instance and from a file, once, and nothing that is there is overwritten.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pimms_cli::import::{self, Outcome};
use pimms_cli::target::{Address, Target, text};
use serde_json::{Value, json};

use crate::shared;
use crate::support::Workspace;

fn target(workspace: &Workspace) -> Target {
    let mut ready = shared().ready().clone();
    ready.api_key.clone_from(&workspace.key);
    Target::of(&ready)
}

fn counts(outcome: &Outcome) -> (usize, usize, usize, usize) {
    (outcome.read, outcome.created, outcome.unchanged, outcome.refused.len())
}

fn links(workspace: &Workspace) -> BTreeMap<String, Value> {
    let list = workspace.get("/links?pageSize=100&showArchived=true");
    let rows = list.as_array().unwrap().iter();
    rows.map(|link| (text(link, "key").to_owned(), link.clone())).collect()
}

#[test]
fn links_of_another_api_come_over_once() {
    let (from, to) = (Workspace::new("import-from"), Workspace::new("import-to"));
    // More than one page.
    for number in 0..103 {
        let body = json!({"url": format!("https://shop.example/{number}"), "key": format!("k{number}")});
        from.post("/links", &body);
    }
    let rich = json!({"url": "https://shop.example/rich?a=1", "key": "rich/deep", "title": "Rich", "archived": true,
        "externalId": "x1", "utm_source": "news", "trackConversion": false, "expiresAt": "2099-01-02T03:04:05Z"});
    from.post("/links", &rich);
    let options = import::Options {
        csv: None,
        from_api: Some(format!("{}/api", shared().ready().url)),
        from_key: Some(from.key.clone()),
        domain: Some(to.domain.clone()),
        address: Address::default(),
    };
    let first = import::import(&target(&to), &options).unwrap();
    assert_eq!(counts(&first), (104, 104, 0, 0), "{:?}", first.refused);
    let again = import::import(&target(&to), &options).unwrap();
    assert_eq!(counts(&again), (104, 0, 104, 0), "{:?}", again.refused);

    let (theirs, ours) = (links(&from), links(&to));
    for field in ["url", "title", "archived", "externalId", "utm_source", "trackConversion", "expiresAt"] {
        assert_eq!(ours["rich/deep"][field], theirs["rich/deep"][field], "{field}");
    }

    // Changed here since: it is not overwritten.
    let id = text(&ours["k7"], "id");
    assert_eq!(
        to.call("PATCH", &format!("/links/{id}"), Some(&json!({"url": "https://new.example"}))).0,
        200
    );
    let third = import::import(&target(&to), &options).unwrap();
    assert_eq!(counts(&third), (104, 0, 103, 1));
    assert_eq!(third.refused[0].1, "is there already with another url");
    assert_eq!(links(&to)["k7"]["url"], "https://new.example");
}

#[test]
fn links_of_a_file_come_over_once_and_refusals_say_why() {
    let workspace = Workspace::new("import-csv");
    let domain = &workspace.domain;
    let rows = format!(
        "Short Link,Destination URL,Title\n\
         https://{domain}/one,https://shop.example/1,One\n\
         https://{domain}/two,shop.example/2,\n\
         https://not-ours.example/x,https://shop.example/3,\n\
         https://{domain}/bad,javascript:alert(1),\n\
         https://{domain}/none,,\n"
    );
    let file: PathBuf = shared().folder().join("links.csv");
    std::fs::write(&file, rows).unwrap();
    let options = import::Options {
        csv: Some(file),
        from_api: None,
        from_key: None,
        domain: None,
        address: Address::default(),
    };
    let first = import::import(&target(&workspace), &options).unwrap();
    assert_eq!(counts(&first), (5, 2, 0, 3), "{:?}", first.refused);
    assert!(first.refused.iter().all(|(_, reason)| !reason.is_empty()), "{:?}", first.refused);
    let again = import::import(&target(&workspace), &options).unwrap();
    assert_eq!(counts(&again), (5, 0, 2, 3), "{:?}", again.refused);
    assert_eq!(links(&workspace)["one"]["title"], "One");
}
