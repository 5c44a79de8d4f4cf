// Adds the click id to every form.

import { watch } from "./watch";

watch((id) => {
  for (const form of document.forms) {
    let field = form.querySelector<HTMLInputElement>("input[name=pimms_id]");
    if (!field) {
      field = document.createElement("input");
      field.type = "hidden";
      field.name = "pimms_id";
      field.dataset.pimms = "";
      form.append(field);
    }
    // A field that the page has itself keeps its value.
    if (("pimms" in field.dataset || !field.value) && field.value != id) field.value = id;
  }
});
