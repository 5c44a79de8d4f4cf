// Shows the click id to the page's own scripts: `window.pimms_id`.

import { clickId } from "./click-id";

const show = () => {
  self.pimms_id = clickId() || null;
};

show();
setInterval(show, 500);
