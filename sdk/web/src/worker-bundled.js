// A worker into which a bundler puts onnxruntime-web.

import * as runtime from "onnxruntime-web/wasm";
import { serve } from "./serve.js";

serve(async () => runtime);
