//! Exchange rates: read from D1 for a query, written by hand, fetched once a day.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;

use futures_util::Stream;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use worker::web_sys;
use worker::{AbortSignal, Env, Error, Fetch, Headers, Request, RequestInit, Response, Result};

use crate::core::money::Currency;
use crate::core::money::ecb::{self, ECB_URL, MAX_DOCUMENT_BYTES, Sheet};
use crate::core::money::rates::{Converter, Needed, OWN_SOURCE, RateBook, StoredRate};
use crate::core::money::request::OwnRates;
use crate::core::recent::Recent;
use crate::core::sql::Bind;
use crate::core::time::Millis;
use crate::edge::{codec, d1, entropy, settings};

/// How many queries' rates are remembered.
const CAPACITY: usize = 100;
/// Another isolate shows a change of rates after this long.
const LIFE_MS: i64 = 60_000;
/// How long a provider may take, answer and all.
const TIMEOUT_MS: u32 = 10_000;

thread_local! {
    static BOOKS: RefCell<Recent<Rc<RateBook>>> = RefCell::new(Recent::new(CAPACITY));
}

/// Converts `amounts` (currency and rate day of each) of a workspace into `to`.
pub(crate) async fn converter<'a>(
    env: &Env,
    workspace_id: &str,
    to: Currency,
    amounts: impl IntoIterator<Item = (Currency, &'a str)>,
) -> Result<Converter> {
    let book = match Needed::of(to, amounts) {
        Some(needed) => book(env, workspace_id, &needed).await?,
        None => Rc::new(RateBook::default()),
    };
    Ok(Converter::new(book, to))
}

/// The rates of a workspace for what is needed: its own, the fetched ones, and the seed.
pub(crate) async fn book(env: &Env, workspace_id: &str, needed: &Needed) -> Result<Rc<RateBook>> {
    let codes: Vec<&str> = needed.currencies.iter().map(Currency::as_str).collect();
    let name = format!("{workspace_id} {} {} {}", needed.from, needed.to, codes.join(" "));
    let now = entropy::now();
    if let Some(known) = BOOKS.with_borrow_mut(|books| books.get(&name, now)) {
        return Ok(known);
    }
    // Of each currency the days asked for, and one day more on either side: what `RateBook` may choose from.
    let query = "SELECT workspace_id, currency, day, per_usd, source FROM fx_rates AS r \
        WHERE workspace_id IN ('', ?1) AND currency IN (SELECT value FROM json_each(?2)) \
        AND day >= COALESCE((SELECT MAX(day) FROM fx_rates WHERE workspace_id = r.workspace_id \
            AND currency = r.currency AND day <= ?3), '') \
        AND day <= COALESCE((SELECT MIN(day) FROM fx_rates WHERE workspace_id = r.workspace_id \
            AND currency = r.currency AND day >= ?4), '~')";
    let values =
        [workspace_id.into(), Bind::list(codes), needed.from.as_str().into(), needed.to.as_str().into()];
    let rows: Vec<StoredRate> = d1::rows(&d1::database(env)?, query, &d1::binds(&values)?).await?;
    let book = Rc::new(RateBook::of(&rows));
    let until = Millis(now.0.saturating_add(LIFE_MS));
    BOOKS.with_borrow_mut(|books| books.put(&name, until, Rc::clone(&book)));
    Ok(book)
}

/// Stores a workspace's own rates of one day, all or nothing.
pub(crate) async fn store_own(env: &Env, workspace_id: &str, own: &OwnRates) -> Result<()> {
    let db = d1::database(env)?;
    let gone = own.rates.iter().filter(|(_, rate)| rate.is_none()).map(|(currency, _)| currency.as_str());
    let query = "DELETE FROM fx_rates WHERE workspace_id = ?1 AND day = ?2 \
                 AND currency IN (SELECT value FROM json_each(?3))";
    let values = [workspace_id.into(), own.day.as_str().into(), Bind::list(gone)];
    let mut statements = vec![d1::statement(&db, query, &d1::binds(&values)?)?];
    let set = own.rates.iter().filter_map(|(currency, rate)| Some((currency.as_str(), (*rate)?.to_string())));
    statements.push(insert(&db, workspace_id, &own.day, OWN_SOURCE, &set.collect::<Vec<_>>())?);
    db.batch(statements).await?;
    forget();
    Ok(())
}

fn insert(
    db: &worker::D1Database,
    workspace_id: &str,
    day: &str,
    source: &str,
    rates: &[(&str, String)],
) -> Result<worker::D1PreparedStatement> {
    // One statement whatever their number; `WHERE true` parts the SELECT from the ON CONFLICT.
    let query = "INSERT INTO fx_rates (workspace_id, day, currency, per_usd, source) \
        SELECT ?1, ?2, value ->> 0, value ->> 1, ?3 FROM json_each(?4) WHERE true \
        ON CONFLICT (workspace_id, currency, day) DO UPDATE SET per_usd = excluded.per_usd, source = excluded.source";
    let values = [workspace_id.into(), day.into(), source.into(), codec::encode(&rates)?.into()];
    d1::statement(db, query, &d1::binds(&values)?)
}

/// Forgets what this isolate remembers; after a change.
fn forget() {
    BOOKS.with_borrow_mut(|books| *books = Recent::new(CAPACITY));
}

/// Fetches the day's rates for everybody: from `FX_URL`, else from the European Central Bank. `FX_URL=off`
/// fetches none.
///
/// `FX_KEY` goes where the URL says `{key}`, else into an Authorization header. Whatever fails, the rates that
/// are stored stay; gives the day stored and how many rates, for the log.
pub(crate) async fn refresh(env: &Env) -> Result<Option<(String, usize)>> {
    let url = settings::optional(env, "FX_URL").unwrap_or_else(|| ECB_URL.to_owned());
    if url == "off" {
        return Ok(None);
    }
    let document = fetch(&url, settings::optional(env, "FX_KEY").as_deref()).await?;
    let Sheet { day, rates } = ecb::sheet(&document)
        .map_err(|e| Error::RustError(format!("what {} sent cannot be used: {e}", host(&url))))?;
    let rates: Vec<(&str, String)> =
        rates.iter().map(|(currency, rate)| (currency.as_str(), rate.to_string())).collect();
    let source = if url == ECB_URL { "ecb".to_owned() } else { host(&url) };
    insert(&d1::database(env)?, "", &day, &source, &rates)?.run().await?;
    forget();
    Ok(Some((day, rates.len())))
}

/// The host of a provider's address: all of it that may be shown, for the rest may carry a key.
fn host(url: &str) -> String {
    url::Url::parse(url).ok().and_then(|url| Some(url.host_str()?.to_owned())).unwrap_or_default()
}

async fn fetch(url: &str, key: Option<&str>) -> Result<String> {
    let headers = Headers::new();
    headers.set("accept", "application/xml, application/json")?;
    let encoded = utf8_percent_encode(key.unwrap_or_default(), NON_ALPHANUMERIC).to_string();
    let target = url.replace("{key}", &encoded);
    if let Some(key) = key.filter(|_| target == url) {
        headers.set("authorization", &format!("Bearer {key}"))?;
    }
    let mut init = RequestInit::new();
    init.with_headers(headers);
    let request = Request::new_with_init(&target, &init)?;
    // It also ends a body that does not.
    let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(TIMEOUT_MS));
    let mut response = Fetch::Request(request).send_with_signal(&signal).await?;
    if response.status_code() != 200 {
        return Err(Error::RustError(format!("{} answered {}", host(url), response.status_code())));
    }
    let bytes = limited(&mut response).await?;
    String::from_utf8(bytes).map_err(|_| Error::RustError(format!("{} sent no text", host(url))))
}

/// The body, dropped at the limit.
async fn limited(response: &mut Response) -> Result<Vec<u8>> {
    let mut stream = response.stream()?;
    let mut bytes = Vec::new();
    while let Some(piece) = poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await {
        bytes.extend_from_slice(&piece?);
        if bytes.len() > MAX_DOCUMENT_BYTES {
            return Err(Error::RustError(format!("more than {MAX_DOCUMENT_BYTES} bytes of rates")));
        }
    }
    Ok(bytes)
}
