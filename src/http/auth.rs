//! From a Bearer key to a caller.

use worker::{Context, Env, Request};

use crate::core::access::{self, Permission, Permissions};
use crate::core::ids;
use crate::core::money::Currency;
use crate::core::problem::Problem;
use crate::edge::{entropy, keys};
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
}

impl Caller {
    /// Insists on a permission: 403 otherwise.
    pub(crate) fn require(&self, permission: Permission) -> Result<(), Problem> {
        self.permissions.require(permission)
    }
}

/// The caller of a request.
///
/// Whatever is wrong with the key, the work (hash, look-up) and the answer (401) are the same. A header that is
/// no Bearer header at all is 400.
pub(crate) async fn caller(request: &Request, env: &Env, ctx: &Context) -> Result<Caller, Failure> {
    let header = request.headers().get("authorization")?;
    let key = access::bearer(header.as_deref())?;
    let now = entropy::now();
    let Some(row) = keys::find(env, ctx, &ids::sha256_hex(key.as_bytes()), now).await? else {
        return Err(access::unauthorized().into());
    };
    if key.is_empty() || row.expires_at.is_some_and(|end| end <= now) {
        return Err(access::unauthorized().into());
    }
    Ok(Caller {
        workspace_id: row.workspace_id,
        permissions: Permissions::of_scopes(&row.scopes),
        currency: row.currency,
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
