// What is left for the decision: reads of a request what the Worker's short way reads (src/entry.js), and answers
// a constant with as many headers. No link, no click, no WebAssembly.

const ABSENT = ["pimms-no-track", "sec-purpose", "purpose", "x-purpose", "x-moz"];
const READ = ["cf-connecting-ip", "user-agent", "referer", "cookie", "accept-language", "cf-ipcountry"];
const PLACE = ["continent", "regionCode", "city", "latitude", "longitude", "colo"];

export default {
  fetch(request) {
    const { headers, cf } = request;
    let asked = request.url;
    for (const name of ABSENT) if (headers.has(name)) asked += name;
    for (const name of READ) asked += `\n${headers.get(name) || ""}`;
    for (const name of PLACE) asked += `\n${cf[name] || ""}`;
    return new Response(null, {
      status: asked === "" ? 500 : 302,
      headers: {
        location: "https://shop.example/constant",
        "cache-control": "private, no-store",
        "x-powered-by": "pimms-edge",
        "x-robots-tag": "googlebot: noindex",
        "set-cookie": "pimms_id=1; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax",
        "Set-Cookie": "pimms_anonymous_id=2; Path=/; Max-Age=31536000; Secure; SameSite=Lax",
      },
    });
  },
};
