// The yardstick: the least a Worker can do.

export default {
  fetch() {
    return new Response(null, { status: 302, headers: { location: "https://shop.example/constant" } });
  },
};
