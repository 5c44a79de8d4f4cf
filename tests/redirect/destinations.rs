//! Where a visitor is sent: plain links, refusals, click ids, parameters.

use super::*;

#[test]
fn plain_redirects() {
    check(&[
        ("a click", "", "/launch", PLAIN),
        (
            "case of the path",
            "",
            "/Launch",
            "302 https://acme.com/?pimms_id=ID +pimms_id_launch@/Launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        ("HEAD is answered alike", "", "/launch | method=HEAD", PLAIN),
        ("a prefetch too", "", "/launch | purpose=prefetch", PLAIN),
        ("a bot too", "", "/launch | ua=googlebot", PLAIN),
        ("no user agent", "", "/launch | ua=", PLAIN),
        ("archived links redirect", r#""a":true"#, "/launch", PLAIN),
        (
            "not tracked: no id in the address",
            r#""t":false"#,
            "/launch",
            "302 https://acme.com/ +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "not tracked: the address is untouched",
            r#""t":false,"u":"https://acme.com/?b=%20&c=~&d""#,
            "/launch",
            "302 https://acme.com/?b=%20&c=~&d +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://acme.com/?b=%20&c=~&d",
        ),
        (
            "tracked: written anew",
            r#""u":"https://acme.com/?b=%20&c=~&d""#,
            "/launch",
            "302 https://acme.com/?b=+&c=%7E&d=&pimms_id=ID +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/?b=%20&c=~&d",
        ),
        (
            "a fragment stays last",
            r#""u":"https://acme.com/#top""#,
            "/launch",
            "302 https://acme.com/?pimms_id=ID#top +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/#top",
        ),
        (
            "another owner's domain: no shared cookie",
            r#""u":"https://shop.example/""#,
            "/launch",
            "302 https://shop.example/?pimms_id=ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://shop.example/",
        ),
        (
            "a sub-domain shares it",
            r#""u":"https://www.shop.acme.com/""#,
            "/launch",
            "302 https://www.shop.acme.com/?pimms_id=ID +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://www.shop.acme.com/",
        ),
        (
            "a public suffix is not shared",
            r#""d":"a.github.io","u":"https://b.github.io/""#,
            "/launch | host=a.github.io",
            "302 https://b.github.io/?pimms_id=ID +pimms_id_a.github.io_launch@/launch +pimms_anonymous_id@/ recorded https://b.github.io/",
        ),
        (
            "the very host needs no Domain",
            r#""d":"localhost","u":"http://localhost:3000/""#,
            "/launch | host=localhost",
            "302 http://localhost:3000/?pimms_id=ID +pimms_id_localhost_launch@/launch +pimms_id@/ +pimms_anonymous_id@/ recorded http://localhost:3000/",
        ),
        (
            "a Unicode host is sent as Punycode",
            r#""u":"https://bücher.example/ü?q=ü""#,
            "/launch",
            "302 https://xn--bcher-kva.example/%C3%BC?q=%C3%BC&pimms_id=ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://xn--bcher-kva.example/%C3%BC?q=%C3%BC",
        ),
        (
            "line breaks in an old row are no header",
            r#""u":"https://acme.com/\r\nset-cookie:x""#,
            "/launch",
            "302 https://acme.com/set-cookie:x?pimms_id=ID +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/set-cookie:x",
        ),
        (
            "multi-segment keys",
            r#""k":"a/b/c""#,
            "/a/b/c",
            "302 https://acme.com/?pimms_id=ID +pimms_id_a/b/c@/a/b/c +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "Unicode keys: the path stays encoded",
            r#""k":"xn--bj0bj06e""#,
            "/%ED%95%9C%EA%B8%80",
            "302 https://acme.com/?pimms_id=ID +pimms_id_xn--bj0bj06e@/%ED%95%9C%EA%B8%80 +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "the root is a 301",
            r#""k":"_root""#,
            "/",
            "301 https://acme.com/?pimms_id=ID +pimms_id__root@/ +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "indexable links are shown to search engines",
            r#""o":{"doIndex":true}"#,
            "/launch",
            "302 https://acme.com/?pimms_id=ID shown +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
    ]);
}

#[test]
fn links_that_are_not_there() {
    check(&[
        ("disabled", r#""z":1"#, "/launch", "ask domain: no link"),
        ("disabled from now on", &format!(r#""z":{NOW}"#), "/launch", "ask domain: no link"),
        ("disabled later", &format!(r#""z":{}"#, NOW + 1), "/launch", PLAIN),
        ("disabled and inspected", r#""z":1"#, "/launch+", "ask domain: no link"),
        ("disabled and banned", r#""z":1,"o":{"banned":true}"#, "/launch", "ask domain: no link"),
        ("a scheme that runs code", r#""u":"javascript:alert(1)""#, "/launch", "ask domain: no link"),
        ("in capitals", r#""u":"JaVaScRiPt:alert(1)""#, "/launch", "ask domain: no link"),
        ("behind a blank", r#""u":" javascript:alert(1)""#, "/launch", "ask domain: no link"),
        ("data", r#""u":"data:text/html,x""#, "/launch", "ask domain: no link"),
        ("a file", r#""u":"file:///etc/passwd""#, "/launch", "ask domain: no link"),
        ("an intent", r#""u":"intent://x#Intent;end""#, "/launch", "ask domain: no link"),
        ("not an address", r#""u":"acme""#, "/launch", "ask domain: no link"),
        ("no scheme", r#""u":"//acme.com/""#, "/launch", "ask domain: no link"),
    ]);
}

#[test]
fn banned_and_expired() {
    let later = format!(r#""x":{}"#, NOW + 1);
    check(&[
        ("banned", r#""o":{"banned":true}"#, "/launch", "410 \"This link was taken down\""),
        (
            "banned, in French",
            r#""o":{"banned":true}"#,
            "/launch | language=fr",
            "410 \"Ce lien a été retiré\"",
        ),
        (
            "banned, indexable",
            r#""o":{"banned":true,"doIndex":true}"#,
            "/launch",
            "410 \"This link was taken down\" shown",
        ),
        (
            "banned before expired",
            r#""x":1,"o":{"banned":true,"expiredUrl":"https://acme.com/over"}"#,
            "/launch",
            "410 \"This link was taken down\"",
        ),
        ("banned and inspected", r#""o":{"banned":true}"#, "/launch+", "410 \"This link was taken down\""),
        (
            "banned shows bots nothing",
            r#""o":{"banned":true,"proxy":true}"#,
            "/launch | ua=facebook",
            "410 \"This link was taken down\"",
        ),
        ("expired", r#""x":1"#, "/launch", "ask domain: expired"),
        ("expired now", &format!(r#""x":{NOW}"#), "/launch", "ask domain: expired"),
        ("expires later", &later, "/launch", PLAIN),
        (
            "expired, with an address",
            r#""x":1,"o":{"expiredUrl":"https://acme.com/over"}"#,
            "/launch",
            "302 https://acme.com/over",
        ),
        (
            "its query is its own",
            r#""x":1,"o":{"expiredUrl":"https://acme.com/over?a=1"}"#,
            "/launch?b=2",
            "302 https://acme.com/over?a=1",
        ),
        (
            "its address is checked",
            r#""x":1,"o":{"expiredUrl":"javascript:alert(1)"}"#,
            "/launch",
            "ask domain: expired",
        ),
        (
            "an app is no address for that",
            r#""x":1,"o":{"expiredUrl":"mailto:a@b.com"}"#,
            "/launch",
            "ask domain: expired",
        ),
        ("expired and inspected", r#""x":1"#, "/launch+", "ask domain: expired"),
        (
            "expired wins over targeting",
            r#""x":1,"o":{"ios":"https://ios.com/"}"#,
            "/launch | ua=iphone",
            "ask domain: expired",
        ),
        (
            "expired thank-you links are expired",
            r#""x":1,"k":"a/thankyou""#,
            "/a/thankyou",
            "ask domain: expired",
        ),
    ]);
}

#[test]
fn inspecting() {
    check(&[
        ("plus shows the destination", "", "/launch+", "200 \"Where this link leads\""),
        ("encoded", "", "/launch%2B", "200 \"Where this link leads\""),
        ("in French", "", "/launch+ | language=fr-CA", "200 \"Où mène ce lien\""),
        ("bots too", "", "/launch+ | ua=googlebot", "200 \"Where this link leads\""),
        ("indexable", r#""o":{"doIndex":true}"#, "/launch+", "200 \"Where this link leads\" shown"),
        (
            "the owner may object",
            r#""o":{"noInspect":true}"#,
            "/launch+",
            "302 https://acme.com/?pimms_id=ID +pimms_id_launch@/launch+ +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "a password hides it",
            &format!(r#""o":{{{PASSWORD}}}"#),
            "/launch+",
            "200 \"This link is protected\"",
        ),
        (
            "who knows it sees it",
            &format!(r#""o":{{{PASSWORD}}}"#),
            "/launch+ | cookie=unlocked",
            "200 \"Where this link leads\"",
        ),
        (
            "a root without destination has none to show",
            r#""k":"_root","u":"""#,
            "/+",
            "200 \"go.acme.com\" +pimms_id__root@/+ +pimms_anonymous_id@/ recorded ",
        ),
    ]);
}

#[test]
fn passwords() {
    let locked = format!(r#""o":{{{PASSWORD}}}"#);
    let opened = "302 https://acme.com/?pimms_id=ID +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/";
    check(&[
        ("asked for", &locked, "/launch", "200 \"This link is protected\""),
        ("in French", &locked, "/launch | language=fr", "200 \"Ce lien est protégé\""),
        ("bots are asked too", &locked, "/launch | ua=googlebot", "200 \"This link is protected\""),
        (
            "no preview either",
            &format!(r#""n":"Secret","o":{{"proxy":true,{PASSWORD}}}"#),
            "/launch | ua=facebook",
            "200 \"This link is protected\"",
        ),
        (
            "before banned",
            &format!(r#""o":{{"banned":true,{PASSWORD}}}"#),
            "/launch",
            "200 \"This link is protected\"",
        ),
        (
            "before expired",
            &format!(r#""x":1,"o":{{{PASSWORD}}}"#),
            "/launch",
            "200 \"This link is protected\"",
        ),
        ("right in the query", &locked, "/launch?pw=open | password=right", opened),
        (
            "it is not passed on",
            &locked,
            "/launch?pw=open&a=1 | password=right",
            "302 https://acme.com/?pimms_id=ID&a=1 +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        ("nor when the cookie opened", &locked, "/launch?pw=open | cookie=unlocked", opened),
        ("remembered by a cookie", &locked, "/launch | cookie=unlocked", opened),
        (
            "a cookie that says so is not enough",
            &locked,
            &format!("/launch | cookie=pimms_password_{LINK_ID}=open"),
            "200 \"This link is protected\"",
        ),
        (
            "nor one of long ago",
            &locked,
            &format!("/launch | cookie=pimms_password_{LINK_ID}=1.00"),
            "200 \"This link is protected\"",
        ),
        (
            "an open link passes pw on",
            "",
            "/launch?pw=x",
            "302 https://acme.com/?pimms_id=ID&pw=x +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
    ]);
}

#[test]
fn click_ids_and_visitors() {
    let known = "302 https://acme.com/?pimms_id=KNOWN +pimms_id@acme.com/ +pimms_anonymous_id@/";
    check(&[
        ("the click of the hour is kept and not recorded again", "", "/launch | cookie=click", known),
        ("an old one is not", "", "/launch | cookie=old-click", PLAIN),
        ("nor another link's", "", "/launch | cookie=other-links-click", PLAIN),
        ("nor another workspace's", "", "/launch | cookie=other-workspaces-click", PLAIN),
        ("nor a made-up one", "", "/launch | cookie=pimms_id_go.acme.com_launch=aB3dE5fG7hI9jK1l", PLAIN),
        ("nor a script", "", "/launch | cookie=pimms_id_go.acme.com_launch=<script>", PLAIN),
        (
            "a known visitor keeps the id",
            "",
            "/launch | cookie=visitor",
            "302 https://acme.com/?pimms_id=ID +pimms_id_launch@/launch +pimms_id@acme.com/ recorded https://acme.com/",
        ),
        ("a made-up visitor gets a new one", "", "/launch | cookie=pimms_anonymous_id=admin", PLAIN),
        ("not over https: no Secure", "", "/launch | scheme=http", PLAIN),
        ("a visitor's pimms_id is nobody's", "", "/launch?pimms_id=EVIL", PLAIN),
        ("also percent-encoded", "", "/launch?%70imms_id=EVIL", PLAIN),
        ("also in Dub's name", "", "/launch?dub_id=EVIL", PLAIN),
        (
            "also when the link is not tracked",
            r#""t":false"#,
            "/launch?pimms_id=EVIL",
            "302 https://acme.com/ +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "also for Stripe",
            r#""u":"https://buy.stripe.com/x""#,
            "/launch?client_reference_id=pimms_id_EVIL",
            "302 https://buy.stripe.com/x?client_reference_id=pimms_id_ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://buy.stripe.com/x",
        ),
        ("not recorded by query", "", "/launch?pimms-no-track=1", "302 https://acme.com/"),
        ("not recorded by header", "", "/launch | no-track=1", "302 https://acme.com/"),
        ("not recorded in Dub's name", "", "/launch?dub-no-track=1", "302 https://acme.com/"),
        (
            "not recorded, yet Stripe knows",
            r#""u":"https://buy.stripe.com/x""#,
            "/launch?pimms-no-track=1 | cookie=click",
            "302 https://buy.stripe.com/x?client_reference_id=pimms_id_KNOWN",
        ),
        (
            "an imported link's id does not fit into an id",
            r#""i":"clk3x9abc000008l4f5g6h7i8""#,
            "/launch",
            PLAIN,
        ),
    ]);
}

#[test]
fn destinations_that_want_the_id_elsewhere() {
    check(&[
        (
            "Stripe payment links",
            r#""u":"https://buy.stripe.com/abc?x=1""#,
            "/launch",
            "302 https://buy.stripe.com/abc?x=1&client_reference_id=pimms_id_ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://buy.stripe.com/abc?x=1",
        ),
        (
            "test mode too",
            r#""u":"https://buy.stripe.com/test_abc""#,
            "/launch",
            "302 https://buy.stripe.com/test_abc?client_reference_id=pimms_id_ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://buy.stripe.com/test_abc",
        ),
        (
            "a look-alike is not Stripe",
            r#""u":"https://buy.stripe.com.evil.com/""#,
            "/launch",
            "302 https://buy.stripe.com.evil.com/?pimms_id=ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://buy.stripe.com.evil.com/",
        ),
        (
            "pages that ask for it",
            r#""u":"https://acme.com/?pimms_client_reference_id=1""#,
            "/launch",
            "302 https://acme.com/?client_reference_id=pimms_id_ID +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/?pimms_client_reference_id=1",
        ),
        (
            "in Dub's name",
            r#""u":"https://acme.com/?dub_client_reference_id=1""#,
            "/launch",
            "302 https://acme.com/?client_reference_id=pimms_id_ID +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/?dub_client_reference_id=1",
        ),
        (
            "Calendly",
            r#""u":"https://calendly.com/ada""#,
            "/launch?utm_term=x",
            "302 https://calendly.com/ada?utm_term=pimms_id_ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://calendly.com/ada?utm_term=x",
        ),
        (
            "iClosed",
            r#""u":"https://app.iclosed.io/e/ada""#,
            "/launch",
            "302 https://app.iclosed.io/e/ada?utm_term=ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://app.iclosed.io/e/ada",
        ),
    ]);
}

#[test]
fn parameters_are_passed_on() {
    let row =
        |address: &str, recorded: &str| format!("{} recorded {recorded}", plain(&format!("302 {address}")));
    let cases = [
        ("one more", "https://acme.com/", "a=1", "https://acme.com/?pimms_id=ID&a=1", "https://acme.com/"),
        (
            "the last of a name wins",
            "https://acme.com/",
            "a=1&a=2",
            "https://acme.com/?pimms_id=ID&a=2",
            "https://acme.com/",
        ),
        (
            "over the destination's own, in its place",
            "https://acme.com/?a=0&b=1",
            "a=9",
            "https://acme.com/?a=9&b=1&pimms_id=ID",
            "https://acme.com/?a=0&b=1",
        ),
        (
            "UTM values are recorded",
            "https://acme.com/",
            "utm_source=x&utm_medium=y&z=1",
            "https://acme.com/?pimms_id=ID&utm_source=x&utm_medium=y&z=1",
            "https://acme.com/?utm_source=x&utm_medium=y",
        ),
        (
            "ref is recorded",
            "https://acme.com/",
            "ref=tw",
            "https://acme.com/?pimms_id=ID&ref=tw",
            "https://acme.com/?ref=tw",
        ),
        (
            "over those of the destination",
            "https://acme.com/?utm_source=old",
            "utm_source=new",
            "https://acme.com/?utm_source=new&pimms_id=ID",
            "https://acme.com/?utm_source=new",
        ),
        ("no value", "https://acme.com/", "flag", "https://acme.com/?pimms_id=ID&flag=", "https://acme.com/"),
        (
            "a blank value",
            "https://acme.com/",
            "a=%20+",
            "https://acme.com/?pimms_id=ID&a=++",
            "https://acme.com/",
        ),
        (
            "line breaks are encoded",
            "https://acme.com/",
            "a=%0d%0aset-cookie:x",
            "https://acme.com/?pimms_id=ID&a=%0D%0Aset-cookie%3Ax",
            "https://acme.com/",
        ),
        (
            "bytes that are no UTF-8",
            "https://acme.com/",
            "a=%FF",
            "https://acme.com/?pimms_id=ID&a=%EF%BF%BD",
            "https://acme.com/",
        ),
        (
            "a QR scan's mark is for us",
            "https://acme.com/",
            "qr=1",
            "https://acme.com/?pimms_id=ID",
            "https://acme.com/",
        ),
        (
            "another qr is not",
            "https://acme.com/",
            "qr=2",
            "https://acme.com/?pimms_id=ID&qr=2",
            "https://acme.com/",
        ),
        (
            "bot is passed on",
            "https://acme.com/",
            "bot=1",
            "https://acme.com/?pimms_id=ID&bot=1",
            "https://acme.com/",
        ),
        ("empty names", "https://acme.com/", "=1&&", "https://acme.com/?pimms_id=ID&=1", "https://acme.com/"),
        (
            "url, next and the like mean nothing",
            "https://acme.com/",
            "url=https://evil.com",
            "https://acme.com/?pimms_id=ID&url=https%3A%2F%2Fevil.com",
            "https://acme.com/",
        ),
    ];
    for (what, url, query, address, recorded) in cases {
        let over = format!(r#""u":"{url}""#);
        assert_eq!(answer(&over, &format!("/launch?{query}")), row(address, recorded), "{what}");
    }
}
