// Words of signing in and out, in English and French.

export const ACCESS_WORDS = {
  'sessions.title': ['Sessions', 'Sessions'],
  'sessions.until': ['You are signed in until {when}.', 'Vous êtes connecté jusqu’au {when}.'],
  'sessions.about': ['A session ends at once when you sign out or its API key is revoked; other places of the network follow within 30 seconds.', 'Une session prend fin dès que vous vous déconnectez ou que sa clé d’API est révoquée ; le reste du réseau suit dans les 30 secondes.'],
  'sessions.here': ['Sign out here', 'Se déconnecter ici'],
  'sessions.everywhere': ['Sign out everywhere', 'Se déconnecter partout'],
  'sessions.everywhere.title': ['Sign out everywhere?', 'Se déconnecter partout ?'],
  'sessions.everywhere.text': ['Every browser that signed in as you did, with the same API key, must sign in again. The key itself goes on working.', 'Chaque navigateur connecté comme vous, avec la même clé d’API, devra se reconnecter. La clé elle-même continue de fonctionner.'],
} as const satisfies Record<string, readonly [string, string]>;
