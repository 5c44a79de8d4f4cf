// The yardstick after one KV read: what the read itself costs here.

export default {
  async fetch(request, env) {
    const location = JSON.parse(await env.LINKS.get(`link:go.example${new URL(request.url).pathname}`, { cacheTtl: 30 })).u;
    return new Response(null, { status: 302, headers: { location } });
  },
};
