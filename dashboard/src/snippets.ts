// Code for a site's own server: what passes the id that a sale is found by.

export const LANGUAGES = [['node', 'Node'], ['python', 'Python'], ['php', 'PHP'], ['ruby', 'Ruby']] as const;
export type CodeLanguage = (typeof LANGUAGES)[number][0];

export interface Snippets { lead: string; checkout: string; create: string; update: string }

/** The snippets of one language; `api` is this workspace's address of the API. */
export function snippets(language: CodeLanguage, api: string): Snippets {
  return MAKE[language](api);
}

const MAKE: Record<CodeLanguage, (api: string) => Snippets> = {
  node: (api) => ({
    lead: `// npm install cookie-parser; req.cookies then holds the visitor's cookies.
const clickId = req.cookies.pimms_id;
if (clickId) {
  await fetch('${api}/track/lead', {
    method: 'POST',
    headers: {
      Authorization: \`Bearer \${process.env.PIMMS_API_KEY}\`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      clickId,
      eventName: 'Sign up',
      externalId: user.id,
      customerName: user.name,
      customerEmail: user.email,
    }),
  });
}`,
    checkout: `const session = await stripe.checkout.sessions.create({
  mode: 'payment',
  line_items: [{ price: 'price_…', quantity: 1 }],
  success_url: 'https://example.com/thanks',
  metadata: { pimmsCustomerId: user.id },
});`,
    create: `const metadata = { pimmsCustomerId: user.id };
if (req.cookies.pimms_id) metadata.pimmsClickId = req.cookies.pimms_id;

const customer = await stripe.customers.create({
  email: user.email,
  metadata,
});`,
    update: `const metadata = { pimmsCustomerId: user.id };
if (req.cookies.pimms_id) metadata.pimmsClickId = req.cookies.pimms_id;

// The id of the Stripe customer (cus_…), not your own.
await stripe.customers.update(user.stripeCustomerId, { metadata });`,
  }),
  python: (api) => ({
    lead: `click_id = request.cookies.get("pimms_id")  # Flask; Django: request.COOKIES
if click_id:
    requests.post(
        "${api}/track/lead",
        headers={"Authorization": f"Bearer {os.environ['PIMMS_API_KEY']}"},
        json={
            "clickId": click_id,
            "eventName": "Sign up",
            "externalId": str(user.id),
            "customerName": user.name,
            "customerEmail": user.email,
        },
        timeout=5,
    )`,
    checkout: `session = stripe.checkout.Session.create(
    mode="payment",
    line_items=[{"price": "price_…", "quantity": 1}],
    success_url="https://example.com/thanks",
    metadata={"pimmsCustomerId": str(user.id)},
)`,
    create: `metadata = {"pimmsCustomerId": str(user.id)}
if click_id := request.cookies.get("pimms_id"):
    metadata["pimmsClickId"] = click_id

customer = stripe.Customer.create(email=user.email, metadata=metadata)`,
    update: `metadata = {"pimmsCustomerId": str(user.id)}
if click_id := request.cookies.get("pimms_id"):
    metadata["pimmsClickId"] = click_id

# The id of the Stripe customer (cus_…), not your own.
stripe.Customer.modify(user.stripe_customer_id, metadata=metadata)`,
  }),
  php: (api) => ({
    lead: `$clickId = $_COOKIE['pimms_id'] ?? null;
if ($clickId) {
    $request = curl_init('${api}/track/lead');
    curl_setopt_array($request, [
        CURLOPT_POST => true,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 5,
        CURLOPT_HTTPHEADER => [
            'Authorization: Bearer ' . getenv('PIMMS_API_KEY'),
            'Content-Type: application/json',
        ],
        CURLOPT_POSTFIELDS => json_encode([
            'clickId' => $clickId,
            'eventName' => 'Sign up',
            'externalId' => (string) $user->id,
            'customerName' => $user->name,
            'customerEmail' => $user->email,
        ]),
    ]);
    curl_exec($request);
}`,
    checkout: `$session = $stripe->checkout->sessions->create([
    'mode' => 'payment',
    'line_items' => [['price' => 'price_…', 'quantity' => 1]],
    'success_url' => 'https://example.com/thanks',
    'metadata' => ['pimmsCustomerId' => (string) $user->id],
]);`,
    create: `$metadata = ['pimmsCustomerId' => (string) $user->id];
if (!empty($_COOKIE['pimms_id'])) {
    $metadata['pimmsClickId'] = $_COOKIE['pimms_id'];
}

$customer = $stripe->customers->create([
    'email' => $user->email,
    'metadata' => $metadata,
]);`,
    update: `$metadata = ['pimmsCustomerId' => (string) $user->id];
if (!empty($_COOKIE['pimms_id'])) {
    $metadata['pimmsClickId'] = $_COOKIE['pimms_id'];
}

// The id of the Stripe customer (cus_…), not your own.
$stripe->customers->update($user->stripeCustomerId, ['metadata' => $metadata]);`,
  }),
  ruby: (api) => ({
    lead: `click_id = cookies[:pimms_id]
if click_id.present?
  Net::HTTP.post(
    URI("${api}/track/lead"),
    {
      clickId: click_id,
      eventName: "Sign up",
      externalId: user.id.to_s,
      customerName: user.name,
      customerEmail: user.email
    }.to_json,
    "Authorization" => "Bearer #{ENV.fetch("PIMMS_API_KEY")}",
    "Content-Type" => "application/json"
  )
end`,
    checkout: `session = Stripe::Checkout::Session.create(
  mode: "payment",
  line_items: [{ price: "price_…", quantity: 1 }],
  success_url: "https://example.com/thanks",
  metadata: { pimmsCustomerId: user.id.to_s }
)`,
    create: `metadata = { pimmsCustomerId: user.id.to_s }
metadata[:pimmsClickId] = cookies[:pimms_id] if cookies[:pimms_id].present?

customer = Stripe::Customer.create(email: user.email, metadata: metadata)`,
    update: `metadata = { pimmsCustomerId: user.id.to_s }
metadata[:pimmsClickId] = cookies[:pimms_id] if cookies[:pimms_id].present?

# The id of the Stripe customer (cus_…), not your own.
Stripe::Customer.update(user.stripe_customer_id, metadata: metadata)`,
  }),
};
