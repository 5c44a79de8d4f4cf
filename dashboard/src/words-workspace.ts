// Words of the workspace's settings.

export const WORKSPACE_WORDS = {
  'workspace.identity': ['Identity', 'Identité'],
  'workspace.reports': ['Reports', 'Rapports'],
  'workspace.attribution': ['Attribution', 'Attribution'],
  'workspace.links': ['Links and scripts', 'Liens et scripts'],
  'workspace.privacy': ['Privacy', 'Confidentialité'],
  'workspace.days': ['{n} days', '{n} jours'],
  'workspace.timezone.own': ['The reader’s own', 'Celui de chaque lecteur'],
  'workspace.timezone.hint': ['Whose days reports have, until a reader picks another.', 'Les jours des rapports, tant qu’un lecteur n’en choisit pas d’autres.'],
  'workspace.window': ['Look-back window', 'Fenêtre d’attribution'],
  'workspace.window.hint': ['How old a click may be to get a sale. A change attributes every sale anew, past ones included, within moments.', 'L’âge maximal d’un clic pour recevoir une vente. Un changement réattribue toutes les ventes, passées comprises, en quelques instants.'],
  'workspace.anew': ['Saved. Sales are being attributed anew.', 'Enregistré. Les ventes sont en cours de réattribution.'],
  'workspace.model.hint': ['How reports share a sale among its clicks, until a reader picks another. Receipts and lists of links always show the last click.', 'Comment les rapports répartissent une vente entre ses clics, tant qu’un lecteur n’en choisit pas un autre. Les reçus et les listes de liens montrent toujours le dernier clic.'],
  'workspace.conversions': ['Track conversions on new links', 'Suivre les conversions des nouveaux liens'],
  'workspace.conversions.hint': ['For links made here or by API that do not say. Links that exist stay as they are.', 'Pour les liens créés ici ou par l’API sans précision. Les liens existants restent tels quels.'],
  'workspace.addresses': ['Store IP addresses of visitors', 'Conserver les adresses IP des visiteurs'],
  'workspace.addresses.hint': ['With their clicks, from now on; never those of visitors from Europe. Off is the private choice.', 'Avec leurs clics, à partir de maintenant ; jamais celles des visiteurs d’Europe. Désactivé protège le mieux leur vie privée.'],
  'workspace.retention': ['Keep single clicks for, in days', 'Conserver les clics individuels, en jours'],
  'workspace.retention.default': ['{n}, as this instance does', '{n}, comme cette instance'],
  'workspace.retention.hint': ['Then their rows are deleted for good, unless a lead or sale came from them; counts stay. Sales from older clicks still find their link, but no longer their country or device. Empty: {n} days.', 'Puis leurs lignes sont supprimées définitivement, sauf si un prospect ou une vente en vient ; les totaux restent. Les ventes de clics plus anciens trouvent encore leur lien, mais plus leur pays ni leur appareil. Vide : {n} jours.'],
  'workspace.retention.wrong': ['A whole number of days from 1 to {n}, or nothing.', 'Un nombre entier de jours de 1 à {n}, ou rien.'],
} as const satisfies Record<string, readonly [string, string]>;
