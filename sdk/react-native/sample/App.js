// A sample: take a photo, cut the word out, read its script. Marked as never run: no phone was at hand.
//
//   npx expo install expo-image-picker @shopify/react-native-skia onnxruntime-react-native
//   npm install scriptkd-react-native

import { AlphaType, ColorType, Skia } from "@shopify/react-native-skia";
import { launchCameraAsync, requestCameraPermissionsAsync } from "expo-image-picker";
import { useEffect, useState } from "react";
import { Button, SafeAreaView, Text } from "react-native";
import { ImageError, ScriptIdentifier, ScriptkdError } from "scriptkd-react-native";
import student from "scriptkd-react-native/models/student";

/** A picture file's pixels; the phone's own code decodes it. */
async function pixelsOf(uri) {
  const image = Skia.Image.MakeImageFromEncoded(await Skia.Data.fromURI(uri));
  if (image === null) throw new ImageError("not a picture that this phone can read");
  const [width, height] = [image.width(), image.height()];
  const data = image.readPixels(0, 0, { width, height, colorType: ColorType.RGBA_8888, alphaType: AlphaType.Unpremul });
  return { data, width, height, channels: 4 };
}

export default function App() {
  const [identifier, setIdentifier] = useState(null);
  const [text, setText] = useState("Loading the model …");

  useEffect(() => {
    const loading = ScriptIdentifier.load(student);
    loading.then(
      (loaded) => {
        setIdentifier(loaded);
        setText("Take a photo of one word and cut it out.");
      },
      (error) => setText(error.message),
    );
    return () => {
      loading.then((loaded) => loaded.close(), () => {});
    };
  }, []);

  const take = async () => {
    try {
      if (!(await requestCameraPermissionsAsync()).granted) return setText("Without the camera there is no photo.");
      // The phone lets the user cut the word out: JavaScript on a phone is slow on a whole photo.
      const photo = await launchCameraAsync({ allowsEditing: true, quality: 1 });
      if (photo.canceled) return;
      const answer = await identifier.identify(await pixelsOf(photo.assets[0].uri));
      setText(`${answer.script}, ${(100 * answer.score).toFixed(1)} %`);
    } catch (error) {
      setText(error instanceof ScriptkdError ? error.message : `Something went wrong: ${error.message}`);
    }
  };

  return (
    <SafeAreaView>
      <Text accessibilityLiveRegion="polite">{text}</Text>
      <Button title="Take a photo" disabled={identifier === null} onPress={take} />
    </SafeAreaView>
  );
}
