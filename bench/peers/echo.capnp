@0xc2ea1f3f4a9b7d10;

interface Mirror {
  echo @0 (data :Data) -> (data :Data);
}
