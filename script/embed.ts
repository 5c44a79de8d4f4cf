// Puts the click id into embedded widgets that ask for it (`pimms_id=1`).

import { domains } from "./base";
import { watch } from "./watch";

const names = domains.embed?.attributes || ["data-cal-link", "data-tally-src"];
const attributes = [names].flat().flatMap((list) => list.split(",")).map((name) => name.trim());

watch((id) => {
  for (const name of [...attributes, "srcdoc"])
    for (const element of document.querySelectorAll("[" + CSS.escape(name) + "]")) {
      const before = element.getAttribute(name)!;
      // `;` ends the `&amp;` of a document inside an attribute.
      const after = before.replace(/([?&;]pimms_id=)1(?![\w-])/g, "$1" + id);
      if (after != before) element.setAttribute(name, after);
    }
});
