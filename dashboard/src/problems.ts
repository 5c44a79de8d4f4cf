// What the API refuses, in the reader's language: by its words where they are known, else by its code.

import { currentLanguage, known } from './i18n';
import { saidAs } from './sentences';

/** In English the API's own words are shown. */
const fr = <T extends Record<string, string>>(words: T): Record<string, readonly [string, string]> =>
  Object.fromEntries(Object.entries(words).map(([english, french]) => [english, [english, french]]));

const REFUSALS = fr({
  'Missing or invalid API key.': 'Clé d’API absente ou invalide.',
  'This API key does not have the permission {permission}.': 'Cette clé d’API n’a pas la permission {permission}.',
  'This request came from another site. Send it from the dashboard, or with an API key.': 'Cette requête vient d’un autre site. Envoyez-la du tableau de bord, ou avec une clé d’API.',
  'Rate limit exceeded. Try again in {seconds} seconds.': 'Trop de requêtes. Réessayez dans {seconds} secondes.',
  'Too many requests. Try again in {seconds} seconds.': 'Trop de requêtes. Réessayez dans {seconds} secondes.',
  'A store did not answer. Try again.': 'Une base n’a pas répondu. Réessayez.',
  'An internal error occurred. It has been logged.': 'Une erreur interne est survenue. Elle a été consignée.',
  'Link not found.': 'Lien introuvable.',
  'Folder not found.': 'Dossier introuvable.',
  'Domain not found.': 'Domaine introuvable.',
  'Customer not found.': 'Client introuvable.',
  'Sale not found.': 'Vente introuvable.',
  'Tag not found.': 'Étiquette introuvable.',
  'Token not found.': 'Clé introuvable.',
  'Workspace not found.': 'Espace introuvable.',
  'UTM template not found.': 'Modèle UTM introuvable.',
  'This slug is already in use.': 'Cet identifiant est déjà utilisé.',
  'This domain is already in use.': 'Ce domaine est déjà utilisé.',
  'This key is already taken.': 'Cette clé est déjà prise.',
  'The short link {link} is already taken.': 'Le lien court {link} est déjà pris.',
  'No free random key was found. Try again.': 'Aucune clé aléatoire libre n’a été trouvée. Réessayez.',
  'Another link of this workspace has this externalId.': 'Un autre lien de cet espace a cet externalId.',
  'A tag with this name already exists.': 'Une étiquette de ce nom existe déjà.',
  'A folder with this name already exists.': 'Un dossier de ce nom existe déjà.',
  'A UTM template with this name already exists.': 'Un modèle UTM de ce nom existe déjà.',
  'This workspace has no domain yet. Add one first.': 'Cet espace n’a pas encore de domaine. Ajoutez-en un d’abord.',
  'The domain {domain} is not one of this workspace\'s.': 'Le domaine {domain} n’appartient pas à cet espace.',
  'This domain has more than {n} links. Delete or move links first.': 'Ce domaine a plus de {n} liens. Supprimez ou déplacez d’abord des liens.',
  'A destination must not be on a short-link domain ({domain})': 'Une destination ne peut pas être sur un domaine de liens courts ({domain})',
  'One of the accounts is connected to another workspace.': 'Un des comptes est connecté à un autre espace.',
  'The body is larger than {n} KB.': 'La requête dépasse {n} Ko.',
  'A key cannot be given scopes that the key making it does not have.': 'Une clé ne peut recevoir de droits que celle qui la crée n’a pas.',
  'A signing secret is `whsec_` and at least 8 characters': 'Un secret de signature est `whsec_` suivi d’au moins 8 caractères',
  'Too many sales for this attribution model: ask for a shorter span': 'Trop de ventes pour ce modèle d’attribution : choisissez une période plus courte',
  'Unknown time zone: use an IANA name': 'Fuseau horaire inconnu : utilisez un nom IANA',
  'Not a currency of ISO 4217': 'Ce n’est pas une devise ISO 4217',
  'Invalid URL': 'Adresse invalide',
  'Invalid url': 'Adresse invalide',
  'Invalid URL: use {schemes}': 'Adresse invalide : utilisez {schemes}',
  'Invalid URL: a destination must not contain a user name or password': 'Adresse invalide : une destination ne peut contenir ni nom d’utilisateur ni mot de passe',
  'Invalid URL: at most {n} bytes': 'Adresse invalide : au plus {n} octets',
  'Invalid domain': 'Domaine invalide',
  'Invalid email': 'Adresse e-mail invalide',
  'Invalid date: use {form}': 'Date invalide : utilisez {form}',
  'Key must have 1 to 190 characters': 'La clé compte de 1 à 190 caractères',
  'Key contains a character that is not allowed: use letters, digits, _ / - .': 'La clé contient un caractère non autorisé : utilisez lettres, chiffres, _ / - .',
  'Key must not start with _ or .well-known, not end with .php, and have no part that is . or ..': 'La clé ne peut commencer par _ ou .well-known, ni finir par .php, ni avoir une partie . ou ..',
  'This key is reserved': 'Cette clé est réservée',
  'This key is reserved: {key}': 'Cette clé est réservée : {key}',
  '{name} is required': '{name} est obligatoire',
  'Required': 'Obligatoire',
  'String must contain at least {n} character(s)': 'Au moins {n} caractère(s)',
  'String must contain at most {n} character(s)': 'Au plus {n} caractère(s)',
  'Array must contain at least {n} element(s)': 'Au moins {n} élément(s)',
  'Array must contain at most {n} element(s)': 'Au plus {n} élément(s)',
  'Number must be less than or equal to {n}': 'Au plus {n}',
  'Number must be greater than or equal to {n}': 'Au moins {n}',
  '{name} cannot be negative': '{name} ne peut pas être négatif',
  'Expected integer, received float': 'Un nombre entier est attendu',
  'Invalid enum value. Expected an ISO 3166-1 alpha-2 country code': 'Un code de pays à deux lettres est attendu, comme FR',
  'Unknown tags: {names}': 'Étiquettes inconnues : {names}',
});

/** The words of a refusal with one of the codes of `core::problem::Code`. `told` is the API's own text, without the rule and the field before it. */
export function refusal(code: string, told: string): string {
  if (currentLanguage() === 'en') return told;
  const said = saidAs(REFUSALS, told);
  if (said) return said;
  const general = known('code', code);
  // What has no code of the API's is in the reader's language already.
  return general === code ? told : `${general} (${told})`;
}
