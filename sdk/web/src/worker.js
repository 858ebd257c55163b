// A worker that imports onnxruntime from an address: workers know no import maps.

import { importAddress } from "./runtime.js";
import { serve } from "./serve.js";

serve(importAddress);
