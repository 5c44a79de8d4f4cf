// Words of signing in and out, in English and French.

export const ACCESS_WORDS = {
  'signin.access': ['Sign in with Cloudflare Access', 'Se connecter avec Cloudflare Access'],
  'signin.access.refused': ['Cloudflare Access has not let you in here. Open this page through its address that Access guards, or sign in with an API key.', 'Cloudflare Access ne vous a pas laissé entrer ici. Ouvrez cette page par son adresse protégée par Access, ou connectez-vous avec une clé d’API.'],
  'sessions.title': ['Sessions', 'Sessions'],
  'sessions.until': ['You are signed in until {when}.', 'Vous êtes connecté jusqu’au {when}.'],
  'sessions.about': ['A session ends at once when you sign out or its API key is revoked; other places of the network follow within 30 seconds.', 'Une session prend fin dès que vous vous déconnectez ou que sa clé d’API est révoquée ; le reste du réseau suit dans les 30 secondes.'],
  'sessions.here': ['Sign out here', 'Se déconnecter ici'],
  'sessions.everywhere': ['Sign out everywhere', 'Se déconnecter partout'],
  'sessions.everywhere.title': ['Sign out everywhere?', 'Se déconnecter partout ?'],
  'sessions.everywhere.text': ['Every browser that signed in as you did, with the same API key, must sign in again. The key itself goes on working.', 'Chaque navigateur connecté comme vous, avec la même clé d’API, devra se reconnecter. La clé elle-même continue de fonctionner.'],
} as const satisfies Record<string, readonly [string, string]>;
