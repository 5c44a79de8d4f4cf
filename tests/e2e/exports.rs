//! `/api/*/export`: whole lists as files, with everything that a spreadsheet could take for a formula.

use serde_json::{Value, json};

use crate::shared;
use crate::support::{Workspace, refused};

/// More than a page of 1000.
const MANY: usize = 1_030;
const HOSTILE: [&str; 6] = [
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "+cmd|' /C calc'!A0",
    "-2+3,\"quoted\"",
    "@SUM(A1:A9)",
    "plain, with a comma",
    "two\nlines",
];

/// Rows of RFC 4180, every one as long as the head, which comes first.
fn parsed(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut letters) = (false, text.chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {
                assert_eq!(letters.next(), Some('\n'), "a bare carriage return");
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            letter => {
                assert!(quoted || letter != '\n', "a bare line feed");
                cell.push(letter);
            }
        }
    }
    assert!(!quoted && row.is_empty() && cell.is_empty(), "the file breaks off");
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "rows of unequal length");
    rows
}

/// The cells of a column.
fn column(rows: &[Vec<String>], name: &str) -> Vec<String> {
    let at = rows[0].iter().position(|head| head == name).unwrap();
    rows[1..].iter().map(|row| row[at].clone()).collect()
}

fn csv(workspace: &Workspace, path: &str, name: &str) -> Vec<Vec<String>> {
    let answer = workspace.send("GET", path, None);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let disposition = answer.header("content-disposition").unwrap();
    assert!(disposition.starts_with(&format!("attachment; filename=\"{name}-20")), "{disposition}");
    assert!(disposition.ends_with(".csv\""), "{disposition}");
    let rows = parsed(&answer.text());
    for cell in rows.iter().flatten() {
        let is_number = cell.parse::<i64>().is_ok();
        assert!(is_number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "a formula: {cell}");
    }
    rows
}

fn ndjson(workspace: &Workspace, path: &str) -> Vec<Value> {
    let answer = workspace.send("GET", path, None);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    assert!(answer.header("content-disposition").unwrap().ends_with(".ndjson\""));
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A text as a cell has it.
fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() }
}

#[test]
fn links_of_many_pages_with_hostile_texts() {
    let workspace = Workspace::new("export-links");
    let all: Vec<Value> = (0..MANY)
        .map(|n| {
            json!({"url": format!("https://shop.example/{n}"), "key": format!("k{n}"),
                "title": HOSTILE[n % HOSTILE.len()], "comments": HOSTILE[(n + 1) % HOSTILE.len()]})
        })
        .collect();
    for part in all.chunks(100) {
        let made = workspace.post("/links/bulk", &json!(part));
        assert!(made.as_array().unwrap().iter().all(|link| link["id"].is_string()), "{made}");
    }
    let rows = csv(&workspace, "/links/export", "links");
    assert_eq!(rows.len(), MANY + 1);
    let mut keys = column(&rows, "key");
    let titles = column(&rows, "title");
    for (key, title) in keys.iter().zip(&titles) {
        let n: usize = key[1..].parse().unwrap();
        assert_eq!(*title, guarded(HOSTILE[n % HOSTILE.len()]), "{key}");
    }
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), MANY, "each link once");
    // NDJSON is what the API shows: nothing is escaped but by JSON.
    let found = ndjson(&workspace, "/links/export?format=ndjson");
    assert_eq!(found.len(), MANY);
    let first = &found[0];
    assert_eq!(*first, workspace.get(&format!("/links/{}", first["id"].as_str().unwrap())));
    assert!(found.iter().any(|link| link["title"] == HOSTILE[0]));
    // Filters are those of the list.
    assert_eq!(csv(&workspace, "/links/export?search=k1029", "links").len(), 2);
    assert_eq!(
        csv(&workspace, "/links/export?archived=true&showArchived=true&search=nothing", "links").len(),
        1
    );
    // A link in a folder is a link.
    let folder = workspace.post("/folders", &json!({"name": "Apart"}));
    workspace.post("/links", &json!({"url": "https://shop.example/f", "key": "f", "folderId": folder["id"]}));
    assert_eq!(csv(&workspace, "/links/export", "links").len(), MANY + 2);
    let of_folder = format!("/links/export?folderId={}", folder["id"].as_str().unwrap());
    assert_eq!(csv(&workspace, &of_folder, "links").len(), 2);
    let other = Workspace::new("export-links-other");
    assert_eq!(csv(&other, "/links/export", "links").len(), 1);
    refused(&other.call("GET", "/links/export?format=xls", None), 422, "unprocessable_entity");
    refused(
        &other.call("GET", &format!("/links/export?domain={}", workspace.domain), None),
        404,
        "not_found",
    );
    assert_eq!(shared().client().get("/api/links/export").send().unwrap().status, 401);
}

/// In parts, of which each says where the next begins, the list is the same; also where a part ends with a page.
fn in_parts(workspace: &Workspace, span: &str, found: &[Value]) {
    for (limit, order) in [(1_000, "desc"), (519, "asc"), (found.len(), "desc")] {
        let path = format!("/events/export?event=all&{span}&format=ndjson&limit={limit}&sortOrder={order}");
        let (mut joined, mut cursor, mut sizes) = (Vec::new(), None::<String>, Vec::new());
        loop {
            let more = cursor.as_ref().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let answer = workspace.send("GET", &format!("{path}{more}"), None);
            assert_eq!(answer.status, 200, "{}", answer.text());
            let before = joined.len();
            joined.extend(answer.text().lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
            sizes.push(joined.len() - before);
            cursor = answer.header("x-next-cursor").map(str::to_owned);
            let name = answer.header("content-disposition").unwrap();
            assert_eq!(name.contains("\"events-part-20"), cursor.is_some(), "{name}");
            if cursor.is_none() {
                break;
            }
        }
        let (last, whole) = sizes.split_last().unwrap();
        assert!(*last > 0 && whole.iter().all(|size| *size == limit), "{limit}: {sizes:?}");
        if order == "asc" {
            joined.reverse();
        }
        assert_eq!(joined, *found, "{limit} {order}");
    }
}

#[test]
fn events_sales_and_customers_with_hostile_texts() {
    let workspace = Workspace::new("export-events");
    workspace.post("/links", &json!({"url": "https://shop.example/", "key": "go", "trackConversion": true}));
    let mut clicks = Vec::new();
    for n in 0..MANY {
        let request = shared().client().get("/go").header("x-pimms-host", &workspace.domain);
        let browser = format!(
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.{n} Safari/537.36"
        );
        let answer = request.header("user-agent", &browser).send().unwrap();
        let location = answer.header("location").unwrap();
        clicks.push(location.split_once("pimms_id=").unwrap().1.split('&').next().unwrap().to_owned());
    }
    for (n, text) in HOSTILE.iter().enumerate() {
        let lead = json!({"clickId": clicks[n], "externalId": format!("-{n}"), "eventName": "Sign up",
            "customerName": text, "customerEmail": format!("+{n}@shop.example"), "metadata": {"note": text}});
        workspace.post("/track/lead", &lead);
        let sale = json!({"externalId": format!("-{n}"), "amount": 100 + n, "invoiceId": format!("=I{n}"),
            "paymentProcessor": "stripe"});
        workspace.post("/track/sale", &sale);
    }
    let span = "interval=7d";
    workspace.settles(&format!("/analytics?event=composite&{span}"), |count| {
        count["clicks"].as_u64() >= Some(MANY as u64)
            && count["sales"] == HOSTILE.len()
            && count["leads"] == HOSTILE.len()
    });
    let rows = csv(&workspace, &format!("/events/export?event=all&{span}"), "events");
    let kinds = column(&rows, "event");
    let of = |kind: &str| kinds.iter().filter(|found| *found == kind).count();
    assert_eq!([of("lead"), of("sale")], [HOSTILE.len(); 2]);
    let times = column(&rows, "timestamp");
    assert!(times.is_sorted_by(|a, b| a >= b));
    let mut ids = column(&rows, "clickId");
    ids.sort();
    ids.dedup();
    clicks.sort();
    // A visitor's request may have been sent again by the client: each click that was answered is there once.
    assert!(clicks.iter().all(|click| ids.binary_search(click).is_ok()), "a click is missing");
    assert_eq!(ids.len(), of("click"), "each click once");
    let counted = workspace.get(&format!("/analytics?{span}"));
    assert_eq!(counted["clicks"], of("click"), "what is counted is what there is");
    // The same rows, in the same order, as the list gives.
    let found = ndjson(&workspace, &format!("/events/export?event=all&{span}&format=ndjson"));
    assert_eq!(found.len(), rows.len() - 1);
    let listed = workspace.get(&format!("/events?event=all&{span}&limit=400"));
    let plain = |row: &Value| (row["event"].clone(), row["timestamp"].clone(), row["click"].clone());
    let same = found.iter().zip(listed.as_array().unwrap()).all(|(a, b)| plain(a) == plain(b));
    assert!(same, "the export and the list differ");
    in_parts(&workspace, span, &found);
    assert_eq!(
        csv(&workspace, &format!("/events/export?event=leads&{span}"), "events").len(),
        HOSTILE.len() + 1
    );
    // Sales and customers.
    let sales = csv(&workspace, "/sales/export", "sales");
    let names: Vec<String> = HOSTILE.map(guarded).to_vec();
    let sorted = |mut list: Vec<String>| {
        list.sort();
        list
    };
    assert_eq!(sorted(column(&sales, "customerName")), sorted(names.clone()));
    assert_eq!(column(&sales, "invoiceId").iter().filter(|id| id.starts_with("'=I")).count(), HOSTILE.len());
    let amounts: i64 = column(&sales, "amount").iter().map(|amount| amount.parse::<i64>().unwrap()).sum();
    assert_eq!(amounts, 615);
    assert_eq!(csv(&workspace, "/sales/export?end=2020-01-01&start=2019-01-01", "sales").len(), 1);
    let customers = csv(&workspace, "/customers/export", "customers");
    assert_eq!(sorted(column(&customers, "name")), sorted(names));
    assert_eq!(
        column(&customers, "email").iter().filter(|email| email.starts_with("'+")).count(),
        HOSTILE.len()
    );
    let found = ndjson(&workspace, "/customers/export?format=ndjson");
    assert_eq!(found.len(), HOSTILE.len());
    assert_eq!(
        found[0],
        workspace.get(&format!("/customers?externalId={}", found[0]["externalId"].as_str().unwrap()))[0]
    );
    for path in [
        "/events/export?event=moons",
        "/events/export?limit=50001",
        "/events/export?cursor=x",
        "/sales/export?format=pdf",
        "/customers/export?mode=x",
    ] {
        refused(&workspace.call("GET", path, None), 422, "unprocessable_entity");
    }
}
