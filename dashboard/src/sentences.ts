// What the API says in sentences, in the reader's language. Each is found by the words of the core
// (`src/core/sentences.rs`), whose places it may leave out; `tests/dashboard_words.rs` holds the two together.

import { currentLanguage, dateTime, money } from './i18n';

type Sentence = readonly [string, string];

export const SENTENCES: Readonly<Record<string, Sentence>> = {
  'accepted': ['Accepted', 'Accepté'],
  'ignored: this type of event is not handled': ['Ignored: this type of event is not needed', 'Ignoré : ce type d’événement n’est pas utilisé'],
  'account {account} disconnected': ['Account {account} was disconnected', 'Le compte {account} a été déconnecté'],
  'of an erased customer': ['Of an erased customer', 'D’un client effacé'],
  'parked: unusable, {detail}': ['Set aside, because it cannot be used: {detail}', 'Mis de côté, car inutilisable : {detail}'],
  'parked: {reason}': ['Waits: {reason}', 'En attente : {reason}'],
  "no account and no workspace: use the workspace's own webhook address": ['It names no account and came to no workspace: use the workspace’s own webhook address', 'Il ne nomme aucun compte et n’est arrivé à aucun espace : utilisez l’adresse de webhook de l’espace'],
  'unknown account {account}': ['Account {account} is not connected', 'Le compte {account} n’est pas connecté'],
  'sale of {money} ({reference}), on link {link}': ['Counted in a sale of {money}, attributed', 'Compté dans une vente de {money}, attribuée'],
  'sale of {money} ({reference}), unattributed': ['Counted in a sale of {money}, unattributed', 'Compté dans une vente de {money}, non attribuée'],
  'noted for customer {customer}': ['Noted for customer {customer}', 'Noté pour le client {customer}'],
  'noted': ['Noted', 'Noté'],
  'a payment, but nothing says yet which invoice, session or customer it is for': ['A payment, but nothing says yet which invoice, session or customer it is for', 'Un paiement, mais rien ne dit encore pour quelle facture, session ou client'],
  'the checkout is complete, its delayed payment is not': ['The checkout is complete, its delayed payment is not', 'La commande est terminée, son paiement différé ne l’est pas'],
  'customer {customer} has no click yet': ['Customer {customer} has no click yet', 'Le client {customer} n’a pas encore de clic'],
  'money of a dispute came back, but nothing says yet that it was withdrawn': ['Money of a dispute came back, but nothing says yet that it was withdrawn', 'L’argent d’un litige est revenu, mais rien ne dit encore qu’il avait été retiré'],
  'the payment this refund belongs to is not known yet': ['The payment this refund belongs to is not known yet', 'Le paiement de ce remboursement n’est pas encore connu'],
  'the payment this dispute belongs to is not known yet': ['The payment this dispute belongs to is not known yet', 'Le paiement de ce litige n’est pas encore connu'],
  'The payment names click {click} on link {link}.': ['The payment names click {click}.', 'Le paiement nomme le clic {click}.'],
  'A payment of subscription {subscription}, attributed as its first: click {click} of {at} on link {link}.': ['A payment of subscription {subscription}, attributed as its first one: click {click} of {at}.', 'Un paiement de l’abonnement {subscription}, attribué comme le premier : clic {click} du {at}.'],
  'The latest click of {who} before the payment, within {days} days: {click} of {at} on link {link}.': ['The latest click before the payment, within {days} days, by {who}: {click} of {at}.', 'Le dernier clic avant le paiement, dans les {days} jours, par {who} : {click} du {at}.'],
  "No other click of {who}: the browser that came back to the payment's thank-you page held click {click} of {at} on link {link}.": ['There is no other click by {who}; the browser that came back to the payment’s thank-you page held click {click} of {at}.', 'Il n’y a aucun autre clic, par {who} ; le navigateur revenu sur la page de remerciement du paiement gardait le clic {click} du {at}.'],
  'No click of {who} within {days} days before the payment: unattributed.': ['There is no click by {who} within {days} days before the payment.', 'Il n’y a aucun clic, par {who}, dans les {days} jours avant le paiement.'],
  'customer {customer}': ['Customer {customer}', 'Le client {customer}'],
  'clicked after the payment': ['Clicked after the payment', 'Cliqué après le paiement'],
  'older than the attribution window': ['Older than the look-back window', 'Plus ancien que la fenêtre d’attribution'],
  'the payment names another click': ['The payment names another click', 'Le paiement nomme un autre clic'],
  'a later click came before the payment': ['A later click came before the payment', 'Un clic plus récent a précédé le paiement'],
  'came to the thank-you page of a payment that has a click already': ['Came to the thank-you page of a payment that has a click already', 'Venu sur la page de remerciement d’un paiement qui a déjà un clic'],
  'another click came to the thank-you page first': ['Another click came to the thank-you page first', 'Un autre clic est venu avant sur la page de remerciement'],
  '{object} says {said}, the sale is {money}': ['{object} says {said}, the sale is {money}', '{object} indique {said}, la vente est de {money}'],
  'refunds of {refunded} exceed the payment of {money}': ['Refunds of {refunded} exceed the payment of {money}', 'Les remboursements de {refunded} dépassent le paiement de {money}'],
  'the click': ['The click', 'Le clic'],
  'the lead': ['The lead', 'Le prospect'],
  'a sale as tracked': ['A sale as tracked', 'Une vente signalée'],
  'the checkout session': ['The checkout session', 'La session de paiement'],
  'the invoice is paid': ['The invoice is paid', 'La facture est payée'],
  'the invoice is void': ['The invoice is void', 'La facture est annulée'],
  'which payment paid the invoice': ['Which payment paid the invoice', 'Quel paiement a réglé la facture'],
  'the payment succeeded': ['The payment succeeded', 'Le paiement a réussi'],
  'a refund': ['A refund', 'Un remboursement'],
  'the charge': ['The charge', 'Le débit'],
  'a dispute': ['A dispute', 'Un litige'],
  'the customer': ['The customer', 'Le client'],
  'the thank-you page': ['The thank-you page', 'La page de remerciement'],
  'the subscription': ['The subscription', 'L’abonnement'],
  'is empty': ['Is empty', 'Est vide'],
  'is the text {text}': ['Is the text {text}: a template that was not filled in', 'Est le texte {text} : un modèle non rempli'],
  'is not a click id': ['Is not a click id', 'N’est pas un identifiant de clic'],
  'click id fails its check': ['Fails its check: altered, or of another workspace', 'Échoue au contrôle : altéré, ou d’un autre espace'],
  'click id is not one of ours and its click is unknown': ['Was issued elsewhere, and its click is not known here', 'Émis ailleurs, et son clic est inconnu ici'],
};

/** Places that hold an amount, `4900 usd`. */
const AMOUNTS: readonly string[] = ['money', 'said', 'refunded'];

interface Pattern { text: RegExp; places: readonly string[]; shown: Sentence }
const patterns = new Map<Readonly<Record<string, Sentence>>, readonly Pattern[]>();

function patternsOf(table: Readonly<Record<string, Sentence>>): readonly Pattern[] {
  const known = patterns.get(table);
  if (known) return known;
  const made = Object.entries(table).map(([words, shown]): Pattern => {
    const places = [...words.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
    const escaped = words.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const text = escaped.reduce((whole, part, at) => `${whole}${AMOUNTS.includes(places[at - 1] ?? '') ? '(-?\\d+ [a-z]{3})' : '(.+?)'}${part}`);
    return { text: new RegExp(`^${text}$`, 's'), places, shown };
  });
  patterns.set(table, made);
  return made;
}

/** `text` in the reader's language, if a sentence of `table` has these words. */
export function saidAs(table: Readonly<Record<string, Sentence>>, text: string): string | undefined {
  for (const { text: pattern, places, shown } of patternsOf(table)) {
    const values = pattern.exec(text)?.slice(1);
    if (!values) continue;
    return shown[currentLanguage() === 'en' ? 0 : 1].replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[places.indexOf(name)];
      return value === undefined ? whole : shownValue(name, value);
    });
  }
  return undefined;
}

function shownValue(name: string, value: string): string {
  if (AMOUNTS.includes(name)) {
    const [amount, currency] = value.split(' ', 2);
    return money(Number(amount), currency ?? '');
  }
  if (name === 'at') return dateTime(value);
  return name === 'reason' || name === 'who' ? lower(said(value)) : value;
}

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** What the API says, in the reader's language; words that nobody knows here stay as they are. */
export function said(text: string): string {
  // A verdict names each thing that an event came to.
  return text.split('; ').map((part) => saidAs(SENTENCES, part) ?? part).join('; ');
}
