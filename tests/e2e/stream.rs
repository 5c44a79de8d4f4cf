//! `/api/events` as one stream of every kind: its order, its cursor, and what undid money.

use serde_json::{Value, json};

use crate::analytics::story;
use crate::support::{Workspace, refused};

/// The rows of every page, read by cursor.
fn pages(workspace: &Workspace, query: &str) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = workspace.send("GET", &format!("/events?{query}{cursor}"), None);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        let next = answer.header("x-next-cursor").map(str::to_owned);
        assert!(next.is_none() || !page.as_array().unwrap().is_empty(), "a cursor after nothing");
        rows.extend(page.as_array().unwrap().iter().cloned());
        let Some(next) = next else { return rows };
        cursor = format!("&cursor={next}");
        assert!(rows.len() < 1000, "the pages never end");
    }
}

/// What each row is.
fn ids(rows: &[Value]) -> Vec<(String, String)> {
    let id = |row: &Value| row["eventId"].as_str().or(row["click"]["id"].as_str()).unwrap().to_owned();
    rows.iter().map(|row| (row["event"].as_str().unwrap().to_owned(), id(row))).collect()
}

#[test]
fn every_kind_is_one_stream_with_a_cursor() {
    let (workspace, news, _) = story("one-stream");
    let span = "interval=7d";
    workspace.settles(&format!("/events?event=sales&{span}"), |rows| rows.as_array().unwrap().len() == 3);
    let all = pages(&workspace, &format!("event=all&{span}&limit=1000"));
    let kinds = ["click", "lead", "sale", "refund", "dispute"];
    let count = |word: &str| all.iter().filter(|row| row["event"] == word).count();
    assert_eq!(kinds.map(count), [3, 2, 3, 1, 0], "{:?}", ids(&all));
    // Descending by time, and each kind's part is what that kind alone gives.
    let times: Vec<&str> = all.iter().map(|row| row["timestamp"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    for kind in kinds {
        let alone = workspace.get(&format!("/events?event={kind}s&{span}"));
        let part: Vec<Value> = all.iter().filter(|row| row["event"] == kind).cloned().collect();
        assert_eq!(ids(alone.as_array().unwrap()), ids(&part), "{kind}");
    }
    // Pages by cursor and by number are the same list, whatever their size, and so is the list turned round.
    for size in [1, 2, 3, 10] {
        assert_eq!(ids(&pages(&workspace, &format!("event=all&{span}&limit={size}"))), ids(&all), "{size}");
        let numbered: Vec<Value> = (1..=10)
            .flat_map(|page| {
                let found = workspace.get(&format!("/events?event=all&{span}&limit={size}&page={page}"));
                found.as_array().unwrap().clone()
            })
            .collect();
        assert_eq!(ids(&numbered), ids(&all)[..numbered.len()], "{size}");
        let mut turned = ids(&pages(&workspace, &format!("event=all&{span}&limit={size}&sortOrder=asc")));
        turned.reverse();
        assert_eq!(turned, ids(&all), "{size}");
    }
    // What comes meanwhile is on no later page of a list that goes back in time.
    let first = workspace.send("GET", &format!("/events?event=all&{span}&limit=4"), None);
    let cursor = first.header("x-next-cursor").unwrap().to_owned();
    let rest = || workspace.get(&format!("/events?event=all&{span}&limit=100&cursor={cursor}"));
    let before = rest();
    let (_, click) = workspace.clicked("meanwhile");
    workspace.settles(&format!("/events?event=clicks&{span}"), |rows| {
        rows.as_array().unwrap().iter().any(|row| row["click"]["id"] == *click)
    });
    assert_eq!(ids(before.as_array().unwrap()), ids(rest().as_array().unwrap()));
    assert_eq!(before.as_array().unwrap().len(), all.len() - 4);
    // The refund: signed, with the sale it undoes and that sale's link and click.
    let refund = all.iter().find(|row| row["event"] == "refund").unwrap();
    let sale = all.iter().find(|row| row["eventId"] == refund["entry"]["saleId"]).unwrap();
    assert_eq!((&refund["entry"]["amount"], &refund["entry"]["converted"]), (&json!(-900), &json!(-900)));
    assert_eq!((&sale["sale"]["amount"], &sale["saleAmount"]), (&json!(4900), &json!(4000)));
    for name in ["link", "customer"] {
        assert_eq!(refund[name]["id"], sale[name]["id"], "{name}");
    }
    assert_eq!((&refund["link"]["id"], &refund["click"]["id"]), (&json!(news), &sale["click"]["id"]));
    assert_eq!(refund["click"]["country"], "FR");
    // Filters hold for every kind.
    for (filter, expected) in [
        ("country=US", [1, 1, 1, 0, 0]),
        ("country=FR", [2, 1, 1, 1, 0]),
        ("customerId=ext_ada", [1, 1, 1, 1, 0]),
        ("attributed=false", [0, 0, 1, 0, 0]),
        ("mode=test&event=sales", [0; 5]),
    ] {
        let event = if filter.contains("event=") { "" } else { "event=all&" };
        let found = pages(&workspace, &format!("{event}{span}&limit=2&{filter}"));
        let found: Vec<Value> = found.into_iter().filter(|row| row["link"]["key"] != "meanwhile").collect();
        let count = |word: &str| found.iter().filter(|row| row["event"] == word).count();
        assert_eq!(kinds.map(count), expected, "{filter}: {:?}", ids(&found));
    }
    for query in ["cursor=x", "cursor=5.a&page=2", "event=all&limit=1000&page=11", "event=moons"] {
        refused(&workspace.call("GET", &format!("/events?{query}"), None), 422, "unprocessable_entity");
    }
}
