// Words of public pages, in English and French.

export const PUBLIC_WORDS = {
  'public.title': ['Public page', 'Page publique'],
  'public.switch': ['Anyone with the address sees the clicks of this link', 'Toute personne qui a l’adresse voit les clics de ce lien'],
  'public.about': ['Clicks by day, place, device and source; no customers, no sales, no other link.', 'Les clics par jour, lieu, appareil et source ; ni clients, ni ventes, ni autre lien.'],
  'public.open': ['Open', 'Ouvrir'],
  'public.gone': ['There is no such page', 'Cette page n’existe pas'],
  'public.gone.text': ['It was switched off, or the address is not complete.', 'Elle a été désactivée, ou l’adresse est incomplète.'],
  'public.by': ['Shown by whoever owns the link. Bots are not counted, and a visitor counts once an hour.', 'Affichée par le propriétaire du lien. Les robots ne sont pas comptés, et un visiteur compte une fois par heure.'],
} as const;
