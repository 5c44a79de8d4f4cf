//! From a Bearer key, or the dashboard's session, to a caller.

use worker::{Context, Env, Request};

use crate::core::access::{self, Permission, Permissions};
use crate::core::attribution::Model;
use crate::core::ids;
use crate::core::money::Currency;
use crate::core::problem::Problem;
use crate::core::session::{self, Origin};
use crate::core::time::Millis;
use crate::edge::{entropy, keys, seal, settings};
use crate::http::failure::Failure;

/// Whose request it is, and what it may do.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// `ws_…`: every query carries it.
    pub workspace_id: String,
    /// What the key may do.
    pub permissions: Permissions,
    /// The currency of its reports.
    pub currency: Currency,
    /// Whose days its reports have when they name no zone.
    pub timezone: Option<String>,
    /// How its reports share money when they do not say.
    pub model: Model,
    /// Whether its links track conversions when they do not say.
    pub tracks_conversions: bool,
    /// `tok_…`
    pub key_id: String,
    /// Until when the dashboard's session goes, if that is how the request came.
    pub session_end: Option<Millis>,
}

impl Caller {
    /// Insists on a permission: 403 otherwise.
    pub(crate) fn require(&self, permission: Permission) -> Result<(), Problem> {
        self.permissions.require(permission)
    }

    /// The zone of reports that name none.
    pub(crate) fn zone(&self) -> &str {
        self.timezone.as_deref().unwrap_or("UTC")
    }
}

/// Where a request came from.
pub(crate) struct OriginHeaders {
    site: Option<String>,
    has_own_header: bool,
    origin: Option<String>,
    host: Option<String>,
}

impl OriginHeaders {
    /// Reads them.
    pub(crate) fn read(request: &Request) -> worker::Result<Self> {
        let headers = request.headers();
        Ok(Self {
            site: headers.get("sec-fetch-site")?,
            has_own_header: headers.has("x-pimms-dashboard")?,
            origin: headers.get("origin")?,
            host: headers.get("host")?,
        })
    }
}

/// The same for `core`.
pub(crate) fn origin(headers: &OriginHeaders) -> Origin<'_> {
    Origin {
        site: headers.site.as_deref(),
        has_own_header: headers.has_own_header,
        origin: headers.origin.as_deref(),
        host: headers.host.as_deref(),
    }
}

/// Whether the session's cookie is one of https: everywhere but on the local runtime.
pub(crate) fn is_secure(request: &Request, env: &Env) -> worker::Result<bool> {
    Ok(!settings::is_local(env) || request.url()?.scheme() == "https")
}

/// The session of the request's cookie, if it was signed here and has not reached its end: its name, and what it says.
/// Whether someone ended it before is for [`keys::find`] to see.
pub(crate) fn session(request: &Request, env: &Env) -> worker::Result<Option<(String, session::Token)>> {
    let Some(cookies) = request.headers().get("cookie")? else { return Ok(None) };
    let Some(text) = session::of_cookies(&cookies, is_secure(request, env)?) else { return Ok(None) };
    let token = session::Kind::Session.check(&seal::key(env)?, text, entropy::now());
    Ok(token.map(|token| (session::name(text), token)))
}

/// What the request says its key is, and until when: the hash of a Bearer key, else the name of its session.
/// `None`: neither.
pub(crate) fn named(request: &Request, env: &Env) -> Result<Option<(String, Option<Millis>)>, Failure> {
    let headers = request.headers();
    if let Some(header) = headers.get("authorization")? {
        let key = access::bearer(Some(&header))?;
        return Ok((!key.is_empty()).then(|| (ids::sha256_hex(key.as_bytes()), None)));
    }
    let Some((name, token)) = session(request, env)? else { return Ok(None) };
    session::require_own(request.method().as_ref(), origin(&OriginHeaders::read(request)?))?;
    Ok(Some((name, Some(token.expires_at))))
}

/// The caller of a request.
///
/// Whatever is wrong with the key, the work (hash, look-up) and the answer (401) are the same. A header that is
/// no Bearer header at all is 400; a session that another site makes use of, 403.
pub(crate) async fn caller(request: &Request, env: &Env, ctx: &Context) -> Result<Caller, Failure> {
    let now = entropy::now();
    let (name, session_end) = named(request, env)?.unwrap_or_default();
    let caller = of_key(env, ctx, &name, now).await?;
    Ok(Caller { session_end, ..caller })
}

/// The caller with a key of this hash or id or behind this session, while it holds.
pub(crate) async fn of_key(env: &Env, ctx: &Context, name: &str, now: Millis) -> Result<Caller, Failure> {
    let found = keys::find(env, ctx, name, now).await?;
    let row = found.filter(|row| !name.is_empty() && row.expires_at.is_none_or(|end| end > now));
    let row = row.ok_or_else(access::unauthorized)?;
    Ok(Caller {
        key_id: row.id,
        workspace_id: row.workspace_id,
        permissions: Permissions::of_scopes(&row.scopes),
        currency: row.currency,
        timezone: row.timezone,
        model: Model::parse(&row.attribution_model).unwrap_or_default(),
        tracks_conversions: row.conversion_enabled == 1,
        session_end: None,
    })
}

/// The caller, who must have a permission.
pub(crate) async fn permitted(
    request: &Request,
    env: &Env,
    ctx: &Context,
    permission: Permission,
) -> Result<Caller, Failure> {
    let caller = caller(request, env, ctx).await?;
    caller.require(permission)?;
    Ok(caller)
}
